//! Refuses what another site made a browser send.
//!
//! Knows: `Sec-Fetch-Site`, `Origin`, `Host`. Must not know: sessions, routes. Start at [`check`]; the JSON content
//! type, which a form of another site cannot send, is checked where bodies are read.

use http::{HeaderMap, Uri, header};

use crate::failure::Failure;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|v| v.to_str().unwrap_or("?"))
}

/// Whether a browser says that another site caused this.
pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-site").is_some_and(|site| !["same-origin", "none"].contains(&site))
}

/// For requests that change something: those that a browser sends must come from a page of ours. Whatever sends neither
/// header is no browser, and no other site's tool.
///
/// # Errors
/// When it comes from elsewhere.
pub(super) fn check(headers: &HeaderMap, uri: &Uri, public_origin: Option<&str>) -> Result<(), Failure> {
    let ours = match text(headers, "origin") {
        None => true,
        Some(origin) => {
            let origin = origin.to_lowercase();
            public_origin.is_some_and(|public| public == origin) || is_host(&origin, headers, uri)
        }
    };
    match ours && !is_cross_site(headers) {
        true => Ok(()),
        false => Err(Failure::forbidden("Requests from other origins are refused")),
    }
}

/// Whether the origin's host and port are those that the request was sent to.
fn is_host(origin: &str, headers: &HeaderMap, uri: &Uri) -> bool {
    let is_web = |origin: &Uri| ["http", "https"].contains(&origin.scheme_str().unwrap_or_default());
    let Some(origin) = origin.parse::<Uri>().ok().filter(is_web) else { return false };
    let host = text(headers, header::HOST.as_str()).or_else(|| uri.authority().map(|a| a.as_str()));
    match (origin.authority(), host) {
        (Some(from), Some(to)) => from.as_str() == to.to_lowercase(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_may_change_something() {
        let check = |pairs: &[(&str, &str)], allowed: bool| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "obs.example:3001".parse().unwrap());
            for (name, value) in pairs {
                headers.insert(name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap());
            }
            let uri = Uri::from_static("/login");
            assert_eq!(
                super::check(&headers, &uri, Some("https://public.example")).is_ok(),
                allowed,
                "{pairs:?}"
            );
        };
        check(&[], true);
        check(&[("origin", "http://obs.example:3001")], true);
        check(&[("origin", "HTTP://OBS.example:3001"), ("sec-fetch-site", "same-origin")], true);
        check(&[("origin", "https://public.example")], true);
        check(&[("origin", "http://public.example")], false);
        check(&[("origin", "http://obs.example")], false);
        check(&[("origin", "http://obs.example:3002")], false);
        check(&[("origin", "http://evil.example")], false);
        check(&[("origin", "http://obs.example:3001.evil.example")], false);
        check(&[("origin", "null")], false);
        check(&[("origin", "file://")], false);
        check(&[("origin", "ftp://obs.example:3001")], false);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "http://obs.example:3001"), ("sec-fetch-site", "cross-site")], false);
    }
}
