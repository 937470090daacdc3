//! OTLP/HTTP: protobuf and JSON bodies, answers in the request's encoding.
//!
//! Knows: methods, media types, content codings, status codes. Must not know: validation. Start at [`answer`].

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use runtime_service::status::Encoding;
use runtime_service::{Kind, Status};
use shared_proto::otlp::{Rejected, Signal};

use super::body::{Failed, Reader};
use super::inflate::Coding;
use super::intake::{Intake, Raw, Taken};

/// Codings of bodies, as `accept-encoding` lists them.
const ACCEPTED: &str = "gzip, zstd, deflate";

/// A refusal, and the HTTP status where it is not the kind's own.
struct Refused {
    status: Status,
    code: Option<StatusCode>,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Refused { status, code: None }
    }
}

/// Answers one request.
pub(super) async fn answer(intake: &Intake, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(preflight) = intake.cors.preflight(&parts.method, &parts.headers) {
        return preflight;
    }
    let encoding = error_encoding(parts.headers.get(CONTENT_TYPE));
    match call(intake, &parts, body).await {
        Ok((signal, taken)) => success(signal, encoding, &taken),
        Err(refused) => {
            intake.http_metrics.refused_requests.add(1);
            refuse(&refused.status, encoding, refused.code)
        }
    }
}

async fn call(intake: &Intake, parts: &Parts, body: Body) -> Result<(Signal, Taken), Refused> {
    let path = parts.uri.path();
    let Some((_, signal)) = intake.paths.iter().find(|(known, _)| known == path) else {
        let known: Vec<&str> = intake.paths.iter().map(|(path, _)| path.as_str()).collect();
        let text = format!("no such path {path:?}, OTLP is taken at {}", known.join(", "));
        return Err(Status::new(Kind::NotFound, text).into());
    };
    let signal = *signal;
    if parts.method != Method::POST {
        let status = Status::new(Kind::Invalid, format!("{} is not supported, use POST", parts.method));
        return Err(Refused { status, code: Some(StatusCode::METHOD_NOT_ALLOWED) });
    }
    let encoding = encoding(parts.headers.get(CONTENT_TYPE))?;
    let output = intake.output(signal)?;
    let coding = coding(intake, parts)?;
    let limit = intake.http_bytes_max;
    let mut lease = output.admission.lease();
    let mut reader = Reader::new(body, limit, &mut lease);
    let read = match content_length(parts) {
        Some(bytes) => reader.announce(bytes),
        None => Ok(()),
    };
    let body = match read {
        Ok(()) => reader.all().await,
        Err(failed) => Err(failed),
    };
    let body = body.map_err(refused)?;
    let prepared = intake.prepare(Raw { signal, body, coding, encoding, bytes_max: limit, lease }).await?;
    let taken = intake.take(output, signal, prepared, &intake.http_metrics).await?;
    Ok((signal, taken))
}

fn content_length(parts: &Parts) -> Option<usize> {
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn refused(failed: Failed) -> Refused {
    match failed {
        Failed::Refused(status) => status.into(),
        Failed::TooSlow => Refused {
            status: Status::new(Kind::DeadlineExceeded, "the body arrived too slowly"),
            code: Some(StatusCode::REQUEST_TIMEOUT),
        },
        Failed::Broken(error) => Status::new(Kind::Invalid, format!("the request broke off: {error}")).into(),
    }
}

/// The media type without its parameters.
fn essence(content_type: Option<&HeaderValue>) -> String {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or("");
    text.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn encoding(content_type: Option<&HeaderValue>) -> Result<Encoding, Refused> {
    match essence(content_type).as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        other => {
            let text = format!(
                "content type {other:?} is not supported, use application/x-protobuf or application/json"
            );
            let status = Status::new(Kind::Invalid, text);
            Err(Refused { status, code: Some(StatusCode::UNSUPPORTED_MEDIA_TYPE) })
        }
    }
}

/// The encoding of an error's body: the request's, JSON where that is unknown (people read it).
pub(super) fn error_encoding(content_type: Option<&HeaderValue>) -> Encoding {
    encoding(content_type).unwrap_or(Encoding::Json)
}

fn coding(intake: &Intake, parts: &Parts) -> Result<Coding, Refused> {
    let mut names = parts.headers.get_all(CONTENT_ENCODING).iter();
    let name = names.next().map_or("identity", |value| value.to_str().unwrap_or("?"));
    let narrowed = intake.compressions.as_ref().is_none_or(|list| {
        list.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.eq_ignore_ascii_case("identity")
    });
    match Coding::by_name(name) {
        Some(coding) if narrowed && names.next().is_none() => Ok(coding),
        _ => {
            // 400 and not 415, as the OpenTelemetry Collector answers
            let text = format!("unsupported Content-Encoding: {name}, use one of {ACCEPTED}");
            Err(Refused { status: Status::new(Kind::Invalid, text), code: None })
        }
    }
}

fn success(signal: Signal, encoding: Encoding, taken: &Taken) -> Response {
    let body = match encoding {
        Encoding::Protobuf => partial_success(taken.rejected.as_ref()),
        Encoding::Json => partial_success_json(signal, taken.rejected.as_ref()),
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(encoding.content_type()));
    if let Some(positions) = &taken.positions
        && let Ok(value) = HeaderValue::from_str(positions)
    {
        headers.insert("x-yc-position", value);
    }
    response
}

/// A refusal in `encoding`, with `code` in place of the kind's own status.
pub(super) fn refuse(status: &Status, encoding: Encoding, code: Option<StatusCode>) -> Response {
    let mut response = status.http_response(encoding).map(Body::from);
    if let Some(code) = code {
        *response.status_mut() = code;
    }
    let code = response.status();
    let headers = response.headers_mut();
    match code {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        StatusCode::REQUEST_TIMEOUT => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// `Export…ServiceResponse {1: Export…PartialSuccess {1: rejected, 2: message}}`, the same for all three signals;
/// empty when nothing was rejected.
pub(super) fn partial_success(rejected: Option<&Rejected>) -> Bytes {
    let Some(rejected) = rejected else { return Bytes::new() };
    let mut inner = BytesMut::new();
    if rejected.items > 0 {
        inner.extend_from_slice(&[0x08]);
        put_varint(&mut inner, rejected.items);
    }
    if !rejected.first.is_empty() {
        inner.extend_from_slice(&[0x12]);
        put_varint(&mut inner, u64::try_from(rejected.first.len()).unwrap_or(0));
        inner.extend_from_slice(rejected.first.as_bytes());
    }
    let mut out = BytesMut::new();
    out.extend_from_slice(&[0x0a]);
    put_varint(&mut out, u64::try_from(inner.len()).unwrap_or(0));
    out.extend_from_slice(&inner);
    out.freeze()
}

fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.extend_from_slice(&[u8::try_from(value & 0x7f).unwrap_or(0) | 0x80]);
        value >>= 7;
    }
    out.extend_from_slice(&[u8::try_from(value).unwrap_or(0)]);
}

fn partial_success_json(signal: Signal, rejected: Option<&Rejected>) -> Bytes {
    let Some(rejected) = rejected else { return Bytes::from_static(b"{}") };
    let key = match signal {
        Signal::Traces => "rejectedSpans",
        Signal::Metrics => "rejectedDataPoints",
        Signal::Logs => "rejectedLogRecords",
    };
    let body = serde_json::json!({
        "partialSuccess": { key: rejected.items.to_string(), "errorMessage": rejected.first }
    });
    Bytes::from(body.to_string())
}
