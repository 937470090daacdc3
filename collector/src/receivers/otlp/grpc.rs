//! OTLP/gRPC: unary calls with one message each way.
//!
//! Knows: gRPC framing, its status in headers and trailers. Must not know: validation. The framing is done here rather
//! than by a gRPC server so that a message is admitted before it is read, decompressed in one bounded step, and refused
//! with the codes that OTLP wants (over the limit is RESOURCE_EXHAUSTED without `RetryInfo`, not OUT_OF_RANGE). Start at
//! [`answer`].

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full};
use runtime_service::status::Encoding;
use runtime_service::{Kind, Status};
use shared_proto::otlp::Signal;

use super::body::{Failed, Reader};
use super::http::partial_success;
use super::inflate::Coding;
use super::intake::{Intake, Raw, Taken};

/// Compressed flag and big-endian length.
const PREFIX_BYTES: usize = 5;
/// Codings of messages, as `grpc-accept-encoding` lists them.
const ACCEPTED: &str = "identity,gzip,zstd";

/// Whether a request is gRPC, by its content type.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/grpc" || essence.starts_with("application/grpc+")
}

fn signal_of(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
}

/// Answers one call.
pub(super) async fn answer(intake: &Intake, request: Request) -> Response {
    match call(intake, request).await {
        Ok(taken) => success(&taken),
        Err(status) => {
            intake.grpc_metrics.refused_requests.add(1);
            refuse(status)
        }
    }
}

async fn call(intake: &Intake, request: Request) -> Result<Taken, Status> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let Some(signal) = signal_of(path) else {
        return Err(Status::new(Kind::Unimplemented, format!("unknown method {path}")));
    };
    let output = intake.output(signal)?;
    let coding = coding(&parts.headers)?;
    let mut lease = output.admission.lease();
    let (compressed, message) = read(intake, body, &mut lease).await?;
    let coding = if compressed { coding } else { Coding::Identity };
    if compressed && coding == Coding::Identity {
        return Err(invalid("the message is flagged as compressed, but grpc-encoding names no coding"));
    }
    let raw = Raw {
        signal,
        body: message,
        coding,
        encoding: Encoding::Protobuf,
        bytes_max: intake.grpc_bytes_max,
        lease,
    };
    let prepared = intake.prepare(raw).await?;
    intake.take(output, signal, prepared, &intake.grpc_metrics).await
}

fn coding(headers: &HeaderMap) -> Result<Coding, Status> {
    let name = headers.get("grpc-encoding").map_or("identity", |value| value.to_str().unwrap_or("?"));
    Coding::by_name(name).ok_or_else(|| {
        Status::new(
            Kind::Unimplemented,
            format!("grpc-encoding {name:?} is not supported, use one of {ACCEPTED}"),
        )
    })
}

/// The one message of a call, and whether it is compressed.
async fn read(
    intake: &Intake,
    body: Body,
    lease: &mut crate::admission::Lease,
) -> Result<(bool, Bytes), Status> {
    let limit = intake.grpc_bytes_max;
    let mut reader = Reader::new(body, limit.saturating_add(PREFIX_BYTES), lease);
    let Some(prefix) = reader.exactly(PREFIX_BYTES).await.map_err(status_of)? else {
        return Err(invalid("the call has no message"));
    };
    let prefix: [u8; PREFIX_BYTES] = prefix.as_ref().try_into().unwrap_or_default();
    let [flag, a, b, c, d] = prefix;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if flag > 1 {
        return Err(invalid(&format!("compressed flag is {flag}, expected 0 or 1")));
    }
    if length > limit {
        let what = format!("message of {length} bytes is larger than {limit} bytes");
        return Err(Status::new(Kind::TooLarge, what));
    }
    reader.announce(length).map_err(status_of)?;
    let Some(message) = reader.exactly(length).await.map_err(status_of)? else {
        return Err(invalid(&format!("the message ends before the {length} bytes that it announces")));
    };
    if !reader.at_end().await.map_err(status_of)? {
        return Err(invalid("there is data after the message, a unary call has one"));
    }
    Ok((flag == 1, message))
}

fn invalid(what: &str) -> Status {
    Status::new(Kind::Invalid, what)
}

fn status_of(failed: Failed) -> Status {
    match failed {
        Failed::Refused(status) => status,
        Failed::TooSlow => Status::new(Kind::DeadlineExceeded, "the message arrived too slowly"),
        Failed::Broken(error) => Status::new(Kind::Unavailable, format!("the request broke off: {error}")),
    }
}

fn success(taken: &Taken) -> Response {
    let message = partial_success(taken.rejected.as_ref());
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(0));
    frame.extend_from_slice(&message);
    let trailers = async {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Some(Ok(trailers))
    };
    let mut response = Response::new(Body::new(Full::new(frame.freeze()).with_trailers(trailers)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if let Some(positions) = &taken.positions
        && let Ok(value) = HeaderValue::from_str(positions)
    {
        headers.insert("x-yc-position", value);
    }
    response
}

/// An error without a message: status, text and details in the headers.
pub(super) fn refuse(status: Status) -> Response {
    let unknown_coding = status.kind == Kind::Unimplemented;
    let mut response = tonic::Status::from(status).into_http::<Body>();
    if unknown_coding {
        response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(ACCEPTED));
    }
    response
}
