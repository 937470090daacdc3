//! Everything on the port that is no API: the web app, and how answers are compressed.
//!
//! Knows: which paths are the app's. Must not know: what the app shows. Start at [`app`].

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use web_assets::{Mode, Page};

/// Shorter answers are sent as they are: they fit a packet.
const COMPRESSED_FROM_BYTES: u16 = 1_400;

/// gzip or brotli for whoever takes it, at the fastest level: answers are written once for one reader.
pub(crate) fn compression() -> CompressionLayer<impl Predicate> {
    let predicate = SizeAbove::new(COMPRESSED_FROM_BYTES).and(NotForContentType::IMAGES);
    CompressionLayer::new().gzip(true).br(true).quality(CompressionLevel::Fastest).compress_when(predicate)
}

/// Files of the app, and for every other path its page; unknown paths of the API are none of them.
pub(crate) async fn app(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") || !matches!(method, Method::GET | Method::HEAD) {
        return not_found();
    }
    let file = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
    let response = web_assets::asset(&file, &headers).unwrap_or_else(|| {
        web_assets::index(&Page {
            base: "/",
            api: "",
            mode: Mode::Query,
            user: None,
            development_mode: false,
            default_password: false,
            version: env!("CARGO_PKG_VERSION"),
        })
    });
    response.map(Body::from)
}

/// Jaeger answers unknown API paths, and known ones with another method, with a plain 404.
pub(crate) async fn nowhere() -> Response {
    not_found()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}
