//! gRPC services of this process, reached without sockets.
//!
//! Knows: authorities and tower services. Must not know: which services exist. Start at [`Inproc`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::{Request, Response};
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt};

/// A gRPC server as a value: what [`crate::Channel`] calls instead of a socket.
pub type GrpcService = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// Registry: authority (`127.0.0.1:17281`) → the service that listens there in this very process. Clones share it.
#[derive(Clone, Default)]
pub struct Inproc(Arc<RwLock<BTreeMap<String, GrpcService>>>);

impl Inproc {
    /// Makes `service` reachable under `endpoint`; a later registration replaces an earlier one.
    /// An `axum::Router` is such a service.
    pub fn register<S, B>(&self, endpoint: &str, service: S)
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let service = service.map_err(Into::into).map_response(|answer| answer.map(Body::new));
        let boxed = BoxCloneSyncService::new(service);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(authority(endpoint), boxed);
    }

    /// The service registered under `endpoint`; scheme and spelling of the loopback address do not matter.
    #[must_use]
    pub fn get(&self, endpoint: &str) -> Option<GrpcService> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&authority(endpoint)).cloned()
    }
}

impl fmt::Debug for Inproc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.read().unwrap_or_else(PoisonError::into_inner).keys()).finish()
    }
}

/// `http://localhost:17281/` and `[::1]:17281` → `127.0.0.1:17281`.
fn authority(endpoint: &str) -> String {
    let bare = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let bare = bare.split('/').next().unwrap_or(bare);
    match bare.rsplit_once(':') {
        Some(("localhost" | "[::1]", port)) => format!("127.0.0.1:{port}"),
        _ => bare.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn spellings_of_the_loopback_address_are_one_authority() {
        for spelling in
            ["127.0.0.1:9", "http://127.0.0.1:9", "localhost:9", "http://[::1]:9/", "http://localhost:9/x"]
        {
            assert_eq!(authority(spelling), "127.0.0.1:9", "{spelling}");
        }
        assert_eq!(authority("http://Store:17281"), "store:17281");
    }
}
