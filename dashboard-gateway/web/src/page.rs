//! `index.html`, filled in for one request: its configuration, and where its files are.
//!
//! Knows: the data block `yc-config` and the relative references that the build wrote. Must not know: where users come
//! from. Start at [`index`].

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde::Serialize;

use crate::headers::security_headers;

/// Begins the data block of the page's configuration.
const CONFIG_BEGIN: &str = r#"<script id="yc-config" type="application/json">"#;
const CONFIG_END: &str = "</script>";
/// How the build refers to its own files (`base: "./"`): right only beside `index.html`, so it is made absolute.
const RELATIVE: &str = "=\"./";

/// What the page must know before its first request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<'a> {
    /// URL prefix of the app; begins and ends with `/`.
    pub base: &'a str,
    /// Prefix of query-api's paths, relative to `base`; empty or ending with `/`.
    pub api: &'a str,
    /// Who serves it.
    pub mode: Mode,
    /// Who is logged in.
    pub user: Option<User<'a>>,
    /// Not for production: shown on screen.
    pub development_mode: bool,
    /// The administrator's password is still the one that everybody knows: shown on screen.
    pub default_password: bool,
    /// Of the server.
    pub version: &'a str,
}

/// Who serves the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// query-api, without users.
    Query,
    /// dashboard-gateway, with users.
    Gateway,
}

/// Whose page it is.
#[derive(Debug, Clone, Serialize)]
pub struct User<'a> {
    /// Login name.
    pub login: &'a str,
    /// Name on screen.
    pub name: &'a str,
    /// `Viewer`, `Editor` or `Admin`.
    pub role: &'a str,
}

/// The page as an answer that is never cached.
#[must_use]
pub fn index(page: &Page<'_>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(fill(crate::INDEX, page)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    security_headers(headers);
    response
}

fn fill(template: &str, page: &Page<'_>) -> String {
    let base = format!("=\"{}", attribute(page.base));
    let config = data_block(&serde_json::to_string(page).unwrap_or_else(|_no_maps_inside| "null".to_owned()));
    let filled = template.split_once(CONFIG_BEGIN).and_then(|(before, rest)| {
        let (_default, after) = rest.split_once(CONFIG_END)?;
        let (before, after) = (before.replace(RELATIVE, &base), after.replace(RELATIVE, &base));
        Some(format!("{before}{CONFIG_BEGIN}{config}{CONFIG_END}{after}"))
    });
    filled.unwrap_or_else(|| template.replace(RELATIVE, &base))
}

/// JSON that cannot end its element, open a comment or another script, or break a line.
fn data_block(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// Text inside a double-quoted attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"<!doctype html><link href="./assets/a.css"><script id="yc-config" type="application/json">{"base":"./"}</script><script type="module" src="./assets/a.js"></script>"#;

    fn page<'a>(base: &'a str, name: &'a str) -> Page<'a> {
        Page {
            base,
            api: "",
            mode: Mode::Gateway,
            user: Some(User { login: "admin", name, role: "Admin" }),
            development_mode: true,
            default_password: false,
            version: "0.1.0",
        }
    }

    #[test]
    fn the_configuration_cannot_break_out_of_its_element() {
        for hostile in [
            "</script><script>alert(1)</script>",
            "<!--<script>",
            "]]>",
            "\u{2028}\u{2029}",
            "&lt;/script&gt;",
            "\\u003c/script>",
            "=\"./",
        ] {
            let html = fill(TEMPLATE, &page("/", hostile));
            let (_, rest) = html.split_once(CONFIG_BEGIN).unwrap();
            let (json, after) = rest.split_once(CONFIG_END).unwrap();
            assert_eq!(after, r#"<script type="module" src="/assets/a.js"></script>"#, "{hostile}");
            assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{json}");
            let back: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(back["user"]["name"], hostile);
        }
    }

    #[test]
    fn files_are_found_from_deep_pages_and_under_a_prefix() {
        let html = fill(TEMPLATE, &page("/obs/", "A"));
        assert!(html.contains(r#"href="/obs/assets/a.css""#), "{html}");
        assert!(html.contains(r#"src="/obs/assets/a.js""#), "{html}");
        assert!(
            html.contains(r#""base":"/obs/","api":"","mode":"gateway","user":{"login":"admin""#),
            "{html}"
        );
        assert!(html.contains(r#""developmentMode":true,"defaultPassword":false,"version":"0.1.0"}"#));
    }
}
