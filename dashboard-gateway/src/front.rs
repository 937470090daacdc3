//! The door: every request passes here first, and every answer last.
//!
//! Knows: which paths are well-formed, the URL prefix, who the peer is behind trusted proxies, the headers of every
//! answer. Must not know: routes, users. Start at [`wrap`].
//!
//! A path that could be read in two ways is refused, not repaired: routing, authorisation and the proxy then all see
//! the same text. In development a name that public DNS could give us is refused too: a page of another site whose name
//! suddenly means this machine (DNS rebinding) would else be "of the same origin", and everybody knows the password.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use tower::ServiceExt as _;

use crate::access::Peer;
use crate::config::{Mode, Server};
use crate::failure::Failure;

/// Two years, for every answer under TLS.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// `inner` behind the door.
pub(crate) fn wrap(inner: Router, server: Server, mode: Mode) -> Router {
    let server = Arc::new(server);
    Router::new().fallback(move |request: Request| {
        let (inner, server) = (inner.clone(), Arc::clone(&server));
        async move { pass(inner, &server, mode, request).await }
    })
}

async fn pass(inner: Router, server: &Server, mode: Mode, mut request: Request) -> Response {
    let mut response = match check_host(server, mode, &request).and_then(|()| enter(server, &mut request)) {
        // the router never fails
        Ok(()) => inner.oneshot(request).await.unwrap_or_else(|never| match never {}),
        Err(refused) => *refused,
    };
    let headers = response.headers_mut();
    web_assets::security_headers(headers);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if server.tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// In development, whether the request is for a name that only this machine or its network can have given.
///
/// # Errors
/// The answer, when it is not.
fn check_host(server: &Server, mode: Mode, request: &Request) -> Result<(), Box<Response>> {
    let host = request.headers().get(header::HOST).map(|v| v.to_str().unwrap_or("?"));
    let host = host.or_else(|| request.uri().authority().map(|a| a.as_str()));
    match host {
        Some(host) if mode == Mode::Development && !is_local(host, server.origin.as_deref()) => {
            let message =
                "This host name is not known in development mode: set server.root_url to the public URL";
            Err(Box::new(Failure::forbidden(message).into_response()))
        }
        _ => Ok(()),
    }
}

/// An address, a name without a dot, a name below `localhost`, or the host of the public URL.
fn is_local(host: &str, origin: Option<&str>) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let public = origin.and_then(|o| o.split_once("://")).and_then(|(_, a)| a.parse::<Authority>().ok());
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_address
        || !name.contains('.')
        || name.ends_with(".localhost")
        || public.is_some_and(|p| p.host() == name)
}

/// Strips the prefix and finds the peer.
///
/// # Errors
/// The answer, when the request goes no further.
fn enter(server: &Server, request: &mut Request) -> Result<(), Box<Response>> {
    let refuse = |failure: Failure| Err(Box::new(failure.into_response()));
    let path = request.uri().path();
    if let Err(wrong) = check(path) {
        return refuse(Failure::invalid(wrong));
    }
    let prefix = server.url_prefix.trim_end_matches('/');
    if !prefix.is_empty() {
        let Some(rest) = path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
        else {
            return refuse(Failure::not_found("Nothing is served outside the URL prefix"));
        };
        if rest.is_empty() {
            let location = [(header::LOCATION, server.url_prefix.clone())];
            return Err(Box::new((StatusCode::PERMANENT_REDIRECT, location).into_response()));
        }
        let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
        let Ok(uri) = format!("{rest}{query}").parse::<Uri>() else {
            return refuse(Failure::invalid("Path is not well-formed"));
        };
        *request.uri_mut() = uri;
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let peer =
        peer.map_or_else(Peer::default, |ip| Peer(client(ip, request.headers(), &server.trusted_proxies)));
    request.extensions_mut().insert(peer);
    Ok(())
}

/// Whether a path can be read in one way only.
///
/// # Errors
/// What is wrong, in public words.
fn check(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') || path.contains("//") {
        return Err("Path holds an empty segment");
    }
    if path.contains(['\\', ';']) || path.chars().any(|c| c.is_control() || !c.is_ascii()) {
        return Err("Path holds a character that is not allowed");
    }
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("Path holds a dot segment");
    }
    let mut rest = path.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        let digits = rest.get(at + 1..at + 3).and_then(|d| std::str::from_utf8(d).ok());
        let byte = digits
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|d| u8::from_str_radix(d, 16).ok());
        match byte {
            // a slash, a dot, a backslash, a percent sign, a semicolon or a control character in disguise
            Some(b'/' | b'.' | b'\\' | b'%' | b';' | 0..0x20 | 0x7f) | None => {
                return Err("Path holds an escape that is not allowed");
            }
            Some(_) => rest = rest.get(at + 3..).unwrap_or_default(),
        }
    }
    match percent_encoding::percent_decode_str(path).decode_utf8() {
        Ok(_) => Ok(()),
        Err(_not_utf8) => Err("Path is not UTF-8"),
    }
}

/// The client behind trusted proxies: the last address of `X-Forwarded-For` that is none of them.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let lists = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let hops: Vec<&str> = lists.flat_map(|list| list.split(',')).collect();
    let parsed = hops.into_iter().rev().map_while(|hop| hop.trim().parse::<IpAddr>().ok());
    parsed.map(|ip| ip.to_canonical()).find(|ip| !trusted.contains(ip)).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_can_be_read_in_two_ways_are_refused() {
        for path in [
            "/",
            "/api/users",
            "/trace/5b8e...77aa",
            "/api/services/a%20b/operations",
            "/a/%C3%A4",
            "/x.y/.z",
        ] {
            check(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        }
        for path in [
            "",
            "api",
            "//",
            "/api//users",
            "/api/../x",
            "/..",
            "/./x",
            "/api/.",
            "/a\\b",
            "/a;b",
            "/a%2fb",
            "/a%2Fb",
            "/%2e%2e/x",
            "/%2E/x",
            "/a%5cb",
            "/a%00",
            "/a%25",
            "/a%252e",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%+1",
            "/a%0a",
            "/a%ff",
            "/a%c3",
            "/a%7f",
            "/a%3b",
            "/\u{e4}",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }

    #[test]
    fn names_that_public_dns_could_give_us_are_not_local() {
        let origin = Some("https://obs.example.com:8443");
        for host in [
            "localhost:3001",
            "127.0.0.1",
            "[::1]:3001",
            "grafana:3001",
            "a.localhost",
            "obs.example.com",
            "10.1.2.3:80",
        ] {
            assert!(is_local(host, origin), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:3001",
            "localhost.evil.example",
            "obs.example.com.evil",
            "127.0.0.1.nip.io",
            "?",
            "",
        ] {
            assert!(!is_local(host, origin), "{host}");
        }
    }

    #[test]
    fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let peer: IpAddr = "203.0.113.9".parse().unwrap();
        let headers = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", text.parse().unwrap());
            headers
        };
        let got = |ip, text: &str| client(ip, &headers(text), &[proxy]).to_string();
        assert_eq!(got(peer, "1.1.1.1"), "203.0.113.9");
        assert_eq!(got(proxy, "6.6.6.6, 198.51.100.4"), "198.51.100.4");
        assert_eq!(got(proxy, "198.51.100.4, 10.0.0.1"), "198.51.100.4");
        assert_eq!(got(proxy, "198.51.100.4, nonsense"), "10.0.0.1");
        assert_eq!(got(proxy, ""), "10.0.0.1");
    }
}
