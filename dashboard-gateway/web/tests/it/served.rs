//! Every file in every form; the page.

use std::io::Read as _;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use web_assets::{Mode, Page, asset, index, paths};

fn request(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).map_or("", |v| v.to_str().unwrap())
}

#[test]
fn every_file_is_served_raw_and_compressed_with_the_same_content() {
    assert!(paths().count() > 1, "the build has no files besides index.html");
    for path in paths() {
        let raw = asset(path, &HeaderMap::new()).unwrap();
        assert_eq!(text(raw.headers(), header::CONTENT_ENCODING), "", "{path}");
        assert_eq!(text(raw.headers(), header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        let gz = asset(path, &request(&[(header::ACCEPT_ENCODING, "gzip")])).unwrap();
        let plain = match text(gz.headers(), header::CONTENT_ENCODING) {
            "gzip" => {
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(gz.body().as_ref()).read_to_end(&mut plain).unwrap();
                plain
            }
            _ => gz.body().to_vec(),
        };
        assert_eq!(plain, raw.body().to_vec(), "{path}");
        let br = asset(path, &request(&[(header::ACCEPT_ENCODING, "gzip, br")])).unwrap();
        assert!(br.body().len() <= raw.body().len(), "{path}");
        assert_eq!(text(br.headers(), header::CONTENT_TYPE), text(raw.headers(), header::CONTENT_TYPE));
    }
}

#[test]
fn scripts_are_cached_for_ever_and_every_file_is_revalidated_by_its_hash() {
    let script = paths().find(|p| p.ends_with(".js")).expect("a script");
    let first = asset(script, &request(&[(header::ACCEPT_ENCODING, "br")])).unwrap();
    assert_eq!(text(first.headers(), header::CACHE_CONTROL), "public, max-age=31536000, immutable");
    assert_eq!(text(first.headers(), header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    for path in paths() {
        let first = asset(path, &request(&[(header::ACCEPT_ENCODING, "br")])).unwrap();
        let tag = text(first.headers(), header::ETAG).to_owned();
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let ask = request(&[(header::ACCEPT_ENCODING, "br"), (header::IF_NONE_MATCH, &known)]);
            let again = asset(path, &ask).unwrap();
            assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0), "{path} {known}");
        }
        let stale = asset(path, &request(&[(header::IF_NONE_MATCH, "\"other\"")])).unwrap();
        assert_eq!(stale.status(), StatusCode::OK);
    }
}

#[test]
fn only_files_of_the_build_are_found() {
    for path in [
        "",
        "/",
        "index.html",
        "../Cargo.toml",
        "assets/../index.html",
        "assets",
        "assets/",
        ".built",
        "assets/x\0.js",
    ] {
        assert!(asset(path, &HeaderMap::new()).is_none(), "{path:?}");
    }
    for path in paths() {
        assert!(asset(&format!("/{path}"), &HeaderMap::new()).is_none());
        assert!(asset(&format!("./{path}"), &HeaderMap::new()).is_none());
    }
}

#[test]
fn the_page_is_never_cached_and_names_only_files_that_exist() {
    let page = Page {
        base: "/obs/",
        api: "",
        mode: Mode::Query,
        user: None,
        development_mode: false,
        default_password: false,
        version: "1",
    };
    let answer = index(&page);
    assert_eq!(text(answer.headers(), header::CACHE_CONTROL), "no-store");
    let html = std::str::from_utf8(answer.body()).unwrap();
    assert!(html.contains(r#""mode":"query","user":null"#), "index.html has no yc-config block:\n{html}");
    let named: Vec<_> = html.split("=\"/obs/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!named.is_empty(), "index.html names no file:\n{html}");
    for path in named {
        assert!(asset(path, &HeaderMap::new()).is_some(), "index.html names {path}, which is not built");
    }
    assert!(!html.contains(" style=") && !html.contains("<style"), "CSP forbids inline style");
    let inline =
        html.split("<script").skip(1).filter(|s| !s.contains("src=") && !s.contains("application/json"));
    assert_eq!(inline.count(), 0, "CSP forbids inline script:\n{html}");
}
