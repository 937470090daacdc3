//! A unary gRPC method that takes and gives bytes: OTLP's `Export` without decoding.
//!
//! Knows: tonic's server loop, compression, the size limit. Must not know: messages. Start at [`RawUnary`].

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::future::BoxFuture;
use http::HeaderValue;
use tonic::Code;
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding};
use tonic::server::{Grpc, UnaryService};
use tower::{BoxError, Service};

use crate::{Budget, Status, Taken};

/// What a handler gives back.
pub type Answer = BoxFuture<'static, Result<tonic::Response<Bytes>, tonic::Status>>;

/// The work of one method.
pub type Handler = Arc<dyn Fn(tonic::Request<Bytes>) -> Answer + Send + Sync>;

/// One unary method over bytes; accepts gzip and zstd. Mount it with `axum::Router::route_service` at
/// `/package.Service/Method`.
///
/// tonic's own answers to what cannot be decoded are retryable or say INTERNAL; here a message over the limit gets
/// RESOURCE_EXHAUSTED without `RetryInfo`, broken compression INVALID_ARGUMENT: both final in OTLP.
#[derive(Clone)]
pub struct RawUnary<C> {
    codec: C,
    message_bytes_max: usize,
    budget: Option<Budget>,
    handler: Handler,
}

impl<C> RawUnary<C>
where
    C: Codec<Encode = Bytes, Decode = Bytes> + Clone + Send + 'static,
{
    /// A method whose messages, decompressed, have at most `message_bytes_max`.
    pub fn new<F>(codec: C, message_bytes_max: usize, handler: F) -> Self
    where
        F: Fn(tonic::Request<Bytes>) -> Answer + Send + Sync + 'static,
    {
        Self { codec, message_bytes_max, budget: None, handler: Arc::new(handler) }
    }

    /// Bodies take from `budget` while they arrive, and again for what they inflate to, until the answer is there.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }
}

impl<C> fmt::Debug for RawUnary<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawUnary").field("message_bytes_max", &self.message_bytes_max).finish_non_exhaustive()
    }
}

/// Calls the handler, and remembers that the message was decoded.
struct Call {
    handler: Handler,
    decoded: Arc<AtomicBool>,
    taken: Option<SharedTaken>,
}

/// What one request has taken of the budget.
type SharedTaken = Arc<Mutex<Taken>>;

fn grow(taken: &SharedTaken, bytes: usize) -> Result<(), Status> {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    taken.lock().unwrap_or_else(PoisonError::into_inner).grow(bytes)
}

/// A request body that takes from the budget, frame by frame.
struct Metered<B> {
    inner: Pin<Box<B>>,
    taken: Option<SharedTaken>,
}

impl<B> http_body::Body for Metered<B>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<B::Data>, BoxError>>> {
        let Some(frame) = ready!(self.inner.as_mut().poll_frame(cx)) else { return Poll::Ready(None) };
        let frame = frame.map_err(Into::into)?;
        if let (Some(taken), Some(data)) = (&self.taken, frame.data_ref()) {
            grow(taken, data.remaining()).map_err(tonic::Status::from)?;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = Answer;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Answer {
        self.decoded.store(true, Ordering::Relaxed);
        if let Some(Err(status)) = self.taken.as_ref().map(|taken| grow(taken, request.get_ref().len())) {
            return Box::pin(std::future::ready(Err(status.into())));
        }
        (self.handler)(request)
    }
}

impl<C, B> Service<http::Request<B>> for RawUnary<C>
where
    C: Codec<Encode = Bytes, Decode = Bytes> + Clone + Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError> + Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let mut grpc = Grpc::new(self.codec.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .max_decoding_message_size(self.message_bytes_max);
        let decoded = Arc::new(AtomicBool::new(false));
        let handler = Arc::clone(&self.handler);
        let (taken, limit) = (self.budget.as_ref().map(|budget| budget.take(0)), self.message_bytes_max);
        Box::pin(async move {
            let taken = match taken.transpose() {
                Ok(taken) => taken.map(|taken| Arc::new(Mutex::new(taken))),
                Err(status) => return Ok(tonic::Status::from(status).into_http()),
            };
            let call = Call { handler, decoded: Arc::clone(&decoded), taken: taken.clone() };
            let request = request.map(|inner| Metered { inner: Box::pin(inner), taken });
            let response = grpc.unary(call, request).await;
            Ok(if decoded.load(Ordering::Relaxed) { response } else { final_answer(response, limit) })
        })
    }
}

/// An empty router of gRPC methods: unknown ones get UNIMPLEMENTED.
pub fn router() -> axum::Router {
    axum::Router::new().fallback(async || {
        let status = tonic::Status::unimplemented("no such method");
        status.into_http::<()>().map(|()| axum::body::Body::empty())
    })
}

/// Corrects the answer to a message that could not be decoded.
fn final_answer(mut response: http::Response<Body>, message_bytes_max: usize) -> http::Response<Body> {
    let headers = response.headers_mut();
    let code = headers.get(tonic::Status::GRPC_STATUS).map(|v| Code::from_bytes(v.as_bytes()));
    let is_ours = headers.contains_key("grpc-status-details-bin");
    match code {
        Some(Code::OutOfRange | Code::ResourceExhausted) if !is_ours => {
            let message = format!("the message is larger than {message_bytes_max} bytes after decompression");
            tonic::Status::resource_exhausted(message).into_http()
        }
        Some(Code::Internal) => {
            let code = HeaderValue::from(i32::from(Code::InvalidArgument));
            headers.insert(tonic::Status::GRPC_STATUS, code);
            response
        }
        _ => response,
    }
}
