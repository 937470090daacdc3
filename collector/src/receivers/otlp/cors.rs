//! Cross-origin requests: which browsers' pages may send.
//!
//! Knows: origins, patterns, the preflight. Must not know: OTLP. Start at [`Cors::decorate`].

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::config;

/// Headers that an exporter always sends.
const HEADERS_ALWAYS: &str = "accept, content-type, content-encoding, x-requested-with";
/// Headers that an exporter must be able to read.
const EXPOSED_ALWAYS: &str = "retry-after, x-yc-position";

/// The receiver's rules, ready to be applied.
#[derive(Debug, Default)]
pub(super) struct Cors {
    origins: Vec<String>,
    any_header: bool,
    allow_headers: Option<HeaderValue>,
    expose_headers: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
}

impl Cors {
    pub(super) fn new(config: &config::Cors) -> Self {
        let list = |always: &str, more: &[String]| {
            let names: Vec<&str> = std::iter::once(always).chain(more.iter().map(String::as_str)).collect();
            HeaderValue::from_str(&names.join(", ")).ok()
        };
        Cors {
            origins: config.allowed_origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
            any_header: config.allowed_headers.iter().any(|name| name == "*"),
            allow_headers: list(HEADERS_ALWAYS, &config.allowed_headers),
            expose_headers: list(EXPOSED_ALWAYS, &config.exposed_headers),
            max_age: (config.max_age > 0).then(|| HeaderValue::from(config.max_age)),
        }
    }

    fn allowed<'a>(&self, origin: Option<&'a HeaderValue>) -> Option<&'a HeaderValue> {
        let origin = origin?;
        let text = origin.to_str().ok()?.to_ascii_lowercase();
        self.origins.iter().any(|pattern| matches(pattern, &text)).then_some(origin)
    }

    /// The answer to a preflight; `None` when the request is none.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        if method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let origin = headers.get(ORIGIN);
        if self.allowed(origin).is_none() {
            return Some(response);
        }
        let answer = response.headers_mut();
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|_| self.any_header);
        if let Some(names) = asked.or(self.allow_headers.as_ref()) {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        if let Some(max_age) = &self.max_age {
            answer.insert(ACCESS_CONTROL_MAX_AGE, max_age.clone());
        }
        self.decorate(origin, &mut response);
        Some(response)
    }

    /// Adds what lets the page read the answer, be it success or error. The origin is echoed, never `*`: clients of
    /// the sendBeacon era send credentials.
    pub(super) fn decorate(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        if self.origins.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = self.allowed(origin) else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if let Some(names) = &self.expose_headers {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
        }
    }
}

/// `*` stands for any run of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or("");
    for part in parts {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn origin_patterns_match_whole_origins() {
        let check = |pattern: &str, origin: &str, expect: bool| {
            assert_eq!(matches(pattern, origin), expect, "{pattern} {origin}");
        };
        check("http://localhost:*", "http://localhost:5173", true);
        check("http://localhost:*", "https://localhost:5173", false);
        check("*", "https://anything.example", true);
        check("https://*.example.com", "https://a.b.example.com", true);
        check("https://*.example.com", "https://example.com.evil.net", false);
        check("http://*:80*", "http://host:8080", true);
        check("https://one.example", "https://one.example", true);
        check("https://one.example", "https://one.example.evil", false);
    }
}
