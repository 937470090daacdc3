//! A service that answers what it was sent, and clients of it.

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use runtime_service::grpc::{self, RawUnary};
use runtime_service::serve::{Limits, Server};
use runtime_service::{Channel, Context, Kind, Status, Tasks, bind};
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};

pub(crate) const PATH: &str = "/toy.v1.Echo/Say";
pub(crate) const LIMIT: usize = 4096;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, dst: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        dst.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        let len = src.remaining();
        Ok(Some(src.copy_to_bytes(len)))
    }
}

/// Answers the message; `busy` is refused with a retry hint, `range` with a code that only the handler may use.
pub(crate) fn routes() -> axum::Router {
    let echo = RawUnary::new(Raw, LIMIT, |request| {
        Box::pin(async move {
            match request.get_ref().as_ref() {
                b"busy" => Err(Status::retryable(Kind::Unavailable, "busy").into()),
                b"range" => Err(tonic::Status::out_of_range("mine")),
                _ => {
                    let mut response = tonic::Response::new(request.into_inner());
                    response.metadata_mut().insert("x-yc-position", "toy/0@1".parse().unwrap());
                    Ok(response)
                }
            }
        })
    });
    grpc::router().route_service(PATH, echo)
}

pub(crate) async fn server(ctx: &Context, tasks: &Tasks) -> Server {
    let listeners = bind::listen(ctx, "echo", 17281).await.unwrap();
    Server::start(tasks, "echo", listeners, routes(), Limits::default())
}

pub(crate) async fn call(
    channel: Channel,
    path: &'static str,
    message: Bytes,
    encoding: Option<CompressionEncoding>,
) -> Result<tonic::Response<Bytes>, tonic::Status> {
    let mut client = tonic::client::Grpc::new(channel);
    if let Some(encoding) = encoding {
        client = client.send_compressed(encoding);
    }
    client.ready().await.map_err(|e| tonic::Status::unavailable(e.to_string()))?;
    client.unary(tonic::Request::new(message), PathAndQuery::from_static(path), Raw).await
}
