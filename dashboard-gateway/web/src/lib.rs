//! The built web app, embedded: every file of `dist` with its compressed siblings, and `index.html`, filled in for
//! each request.
//!
//! Knows: the files that `make web` made, HTTP caching and content negotiation, the headers that keep a page safe.
//! Must not know: who serves it, users, sessions, any API; it never touches the file system. Start at [`asset`] and
//! [`index`].

mod encoding;
mod headers;
mod page;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use encoding::Encoding;
pub use headers::{CONTENT_SECURITY_POLICY, security_headers};
pub use page::{Mode, Page, User, index};

/// One file of the build.
struct Asset {
    /// Below `dist`, without a leading slash.
    path: &'static str,
    media_type: &'static str,
    /// Of the raw bytes.
    hash: &'static str,
    /// The name changes with the content, so the answer never does.
    hashed_name: bool,
    raw: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A year, as RFC 9111 caches understand "for ever".
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");

/// The answer to a GET or HEAD of `path` (no leading slash, decoded); `None` when there is no such file. `index.html`
/// is none of them: see [`index`].
#[must_use]
pub fn asset(path: &str, request: &HeaderMap) -> Option<Response<Bytes>> {
    let at = ASSETS.binary_search_by(|a| a.path.cmp(path)).ok()?;
    Some(ASSETS.get(at)?.answer(request))
}

/// Paths of all files, in order.
pub fn paths() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|a| a.path)
}

impl Asset {
    fn answer(&self, request: &HeaderMap) -> Response<Bytes> {
        let (encoding, bytes) = self.variant(encoding::accepted(request));
        let tag = format!("\"{}{}\"", self.hash, encoding.suffix());
        let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
        let unchanged = known.flat_map(|list| list.split(',')).any(|one| {
            let one = one.trim();
            one == "*" || one.trim_start_matches("W/") == tag
        });
        let body = if unchanged { Bytes::new() } else { Bytes::from_static(bytes) };
        let mut response = Response::new(body);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, if self.hashed_name { FOR_EVER } else { REVALIDATE });
        if self.br.is_some() || self.gz.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if !unchanged {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
            if let Some(name) = encoding.name() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            }
        }
        security_headers(headers);
        response
    }

    /// The smallest form that the client takes.
    fn variant(&self, accepted: encoding::Accepted) -> (Encoding, &'static [u8]) {
        match (self.br, self.gz) {
            (Some(br), _) if accepted.br => (Encoding::Brotli, br),
            (_, Some(gz)) if accepted.gzip => (Encoding::Gzip, gz),
            _ => (Encoding::Identity, self.raw),
        }
    }
}
