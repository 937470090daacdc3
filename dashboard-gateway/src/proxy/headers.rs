//! Which headers pass the proxy: a list of those that do.
//!
//! Knows: header names and media types. Must not know: upstreams. Start at [`of_request`] and [`of_answer`].
//!
//! Credentials and cookies pass in neither direction, nor does anything that speaks of one hop, and no answer is ever
//! a page: whatever telemetry holds, a browser shows it as data.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::failure::Failure;

/// Of a request.
const REQUEST: [&str; 10] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-encoding",
    "content-length",
    "content-type",
    "if-none-match",
    "traceparent",
    "tracestate",
    "user-agent",
];
/// Of an answer.
const ANSWER: [&str; 8] = [
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-type",
    "etag",
    "last-modified",
    "retry-after",
    "vary",
];
/// Our own services' headers, in both directions: positions, partial answers, request ids.
const OWN_PREFIX: &str = "x-yc-";

/// Media types that an answer may have; the rest could be run or rendered.
const MEDIA_TYPES: [&str; 7] = [
    "application/json",
    "application/octet-stream",
    "application/openmetrics-text",
    "application/protobuf",
    "application/x-ndjson",
    "application/x-protobuf",
    "text/plain",
];
/// Our own binary forms.
const OWN_MEDIA_PREFIX: &str = "application/vnd.yc.";

fn kept(headers: &HeaderMap, names: &[&str]) -> HeaderMap {
    let passes = |name: &HeaderName| names.contains(&name.as_str()) || name.as_str().starts_with(OWN_PREFIX);
    let pairs = headers.iter().filter(|(name, _)| passes(name));
    pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What of a request's headers is passed on.
pub(super) fn of_request(headers: &HeaderMap) -> HeaderMap {
    kept(headers, &REQUEST)
}

/// What of an answer's headers is passed on.
///
/// # Errors
/// 502 when the answer is a redirect, or of a media type that a browser could run or render.
pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap) -> Result<HeaderMap, Failure> {
    let unusable = |what: &str| {
        Failure::new(
            StatusCode::BAD_GATEWAY,
            format!("Data source answers with {what}, which is not passed on"),
        )
    };
    if status.is_informational() || (status.is_redirection() && status != StatusCode::NOT_MODIFIED) {
        return Err(unusable("a redirect"));
    }
    let value = headers.get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap_or("?"));
    let media_type = value.unwrap_or("application/octet-stream").split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    if !MEDIA_TYPES.contains(&media_type.as_str()) && !media_type.starts_with(OWN_MEDIA_PREFIX) {
        return Err(unusable(&format!("`{media_type}`")));
    }
    let mut out = kept(headers, &ANSWER);
    if value.is_none() {
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    }
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // answers are one user's: never in a cache that others share
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn credentials_and_hops_pass_in_neither_direction() {
        let secret = [
            ("cookie", "yc_session=1"),
            ("authorization", "Bearer x"),
            ("proxy-authorization", "Basic x"),
            ("x-grafana-id", "x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("forwarded", "for=1.2.3.4"),
            ("connection", "x-yc-position"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("set-cookie", "a=b"),
            ("server", "x"),
            ("access-control-allow-origin", "*"),
            ("content-security-policy", "default-src *"),
            ("location", "http://evil"),
            ("clear-site-data", "*"),
            ("refresh", "0; url=http://evil"),
            ("link", "<x>; rel=preload"),
        ];
        let plain = [("accept", "application/json"), ("x-yc-position", "traces/1@2")];
        let all = headers(&[&secret[..], &plain[..]].concat());
        assert_eq!(of_request(&all), headers(&plain));
        let answer = of_answer(StatusCode::OK, &all).unwrap();
        assert!(secret.iter().all(|(name, _)| !answer.contains_key(*name)), "{answer:?}");
        assert_eq!(answer["x-yc-position"], "traces/1@2");
        assert_eq!(answer["cache-control"], "private, no-cache");
    }

    #[test]
    fn no_answer_is_a_page_or_a_script() {
        let check = |media_type: &str, passes: bool| {
            let outcome = of_answer(StatusCode::OK, &headers(&[("content-type", media_type)]));
            assert_eq!(outcome.is_ok(), passes, "{media_type}");
        };
        check("application/json; charset=utf-8", true);
        check("APPLICATION/JSON", true);
        check("application/vnd.yc.skeleton.v1", true);
        check("text/plain", true);
        for wrong in [
            "text/html",
            "Text/HTML; charset=x",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "text/javascript",
            "application/javascript",
            "text/css",
            "application/pdf",
            "multipart/mixed",
            "",
            ",",
        ] {
            check(wrong, false);
        }
        assert!(of_answer(StatusCode::FOUND, &headers(&[("content-type", "text/plain")])).is_err());
        let unnamed = of_answer(StatusCode::OK, &HeaderMap::new()).unwrap();
        assert_eq!(unnamed["content-type"], "application/octet-stream");
    }
}
