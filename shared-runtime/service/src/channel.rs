//! One client type for gRPC over a socket and gRPC inside the process.
//!
//! Knows: endpoints. Must not know: messages. Start at [`connect`].

use std::fmt;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::{BoxError, Service};

use crate::{Context, GrpcService};

/// How long a TCP connection may take.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(5);
/// Idle connections are probed, so that a peer that vanished without a word is noticed.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// HTTP/2 windows: one 16 MiB body fits without waiting for window updates.
const WINDOW_BYTES: u32 = 16 << 20;

/// A gRPC client connection, usable under generated tonic clients and `tonic::client::Grpc`. Cheap to clone.
#[derive(Clone)]
pub enum Channel {
    /// Over the network; connects at the first request and again after a loss.
    Remote(tonic::transport::Channel),
    /// To a service of this process; no socket is involved.
    Local(GrpcService),
}

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It is no `host:port` or `http://host:port`.
    #[error("endpoint `{endpoint}` is not usable: expected `host:port` or `http://host:port`")]
    Invalid {
        /// As configured.
        endpoint: String,
        /// What the URI parser said.
        #[source]
        source: tonic::transport::Error,
    },
    /// It asks for TLS.
    #[error("endpoint `{endpoint}` asks for TLS, which is not available between services: use `http://`")]
    Tls {
        /// As configured.
        endpoint: String,
    },
}

/// A channel to `endpoint` (`host:port`, `http://host:port`): local when this process serves it, else lazy and remote.
///
/// # Errors
/// When `endpoint` is not an address. An absent peer is not an error here: calls answer UNAVAILABLE until it is there.
pub fn connect(ctx: &Context, endpoint: &str) -> Result<Channel, ConnectError> {
    if let Some(local) = ctx.inproc.get(endpoint) {
        return Ok(Channel::Local(local));
    }
    if endpoint.starts_with("https://") {
        return Err(ConnectError::Tls { endpoint: endpoint.to_owned() });
    }
    let uri = if endpoint.contains("://") { endpoint.to_owned() } else { format!("http://{endpoint}") };
    let remote = Endpoint::from_shared(uri)
        .map_err(|source| ConnectError::Invalid { endpoint: endpoint.to_owned(), source })?
        .connect_timeout(CONNECT_TIMEOUT_MAX)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    Ok(Channel::Remote(remote.connect_lazy()))
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Remote(channel) => channel.poll_ready(cx).map_err(Into::into),
            Self::Local(service) => service.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self {
            Self::Remote(channel) => {
                let answer = channel.call(request);
                Box::pin(async move { answer.await.map_err(Into::into) })
            }
            Self::Local(service) => service.call(request),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Remote(_) => "Channel::Remote",
            Self::Local(_) => "Channel::Local",
        })
    }
}
