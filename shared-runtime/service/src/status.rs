//! One table of outcomes: kind → gRPC code and HTTP status, with retry hints in both.
//!
//! Knows: `google.rpc.Status`, `RetryInfo`, `Retry-After`. Must not know: who failed. Retry is decided from [`Kind`],
//! never from text. Start at [`Kind`].

mod wire;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use tonic::Code;

/// Retry hint where the caller gives none.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);
/// The Python SDK drops a batch at once when `Retry-After` is 10 s or more.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(9);

/// What kind of failure an answer is; each has one gRPC code and one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is broken: INVALID_ARGUMENT, 400.
    Invalid,
    /// No such thing: NOT_FOUND, 404.
    NotFound,
    /// Over a limit, final: RESOURCE_EXHAUSTED without `RetryInfo`, 413.
    TooLarge,
    /// Who are you: UNAUTHENTICATED, 401.
    Unauthenticated,
    /// Nothing here takes it: UNIMPLEMENTED, 404.
    Unimplemented,
    /// Not in this state: FAILED_PRECONDITION, 412.
    FailedPrecondition,
    /// Over a budget that frees itself: RESOURCE_EXHAUSTED with `RetryInfo`, 429.
    Exhausted,
    /// Not now: UNAVAILABLE with `RetryInfo`, 503.
    Unavailable,
    /// Took too long: DEADLINE_EXCEEDED, 504.
    DeadlineExceeded,
    /// Our fault: INTERNAL, 500.
    Internal,
}

impl Kind {
    const TABLE: [(Self, Code, StatusCode); 10] = [
        (Self::Invalid, Code::InvalidArgument, StatusCode::BAD_REQUEST),
        (Self::NotFound, Code::NotFound, StatusCode::NOT_FOUND),
        (Self::TooLarge, Code::ResourceExhausted, StatusCode::PAYLOAD_TOO_LARGE),
        (Self::Unauthenticated, Code::Unauthenticated, StatusCode::UNAUTHORIZED),
        (Self::Unimplemented, Code::Unimplemented, StatusCode::NOT_FOUND),
        (Self::FailedPrecondition, Code::FailedPrecondition, StatusCode::PRECONDITION_FAILED),
        (Self::Exhausted, Code::ResourceExhausted, StatusCode::TOO_MANY_REQUESTS),
        (Self::Unavailable, Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE),
        (Self::DeadlineExceeded, Code::DeadlineExceeded, StatusCode::GATEWAY_TIMEOUT),
        (Self::Internal, Code::Internal, StatusCode::INTERNAL_SERVER_ERROR),
    ];

    fn row(self) -> (Code, StatusCode) {
        Self::TABLE
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or((Code::Internal, StatusCode::INTERNAL_SERVER_ERROR), |(_, code, status)| (*code, *status))
    }

    /// The gRPC code.
    #[must_use]
    pub fn grpc(self) -> Code {
        self.row().0
    }

    /// The HTTP status.
    #[must_use]
    pub fn http(self) -> StatusCode {
        self.row().1
    }

    /// Whether the same request may succeed later, by OTLP's rules.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Exhausted | Self::Unavailable | Self::DeadlineExceeded)
    }
}

/// A failure as a peer sees it: the public message, apart from the internal cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What kind of failure.
    pub kind: Kind,
    /// Public: lower case, names the culprit and what to do.
    pub message: String,
    /// When to try again; retryable kinds get 1 s when it is `None`.
    pub retry_after: Option<Duration>,
}

/// How an error body is written: in the request's encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

impl Encoding {
    /// The media type of bodies in it.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

impl Status {
    /// A failure of `kind`; retryable kinds carry the default hint.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// A retryable failure with the default hint of 1 s.
    pub fn retryable(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: Some(RETRY_AFTER_DEFAULT) }
    }

    /// The hint that goes on the wire: for retryable kinds always, under 10 s.
    #[must_use]
    pub fn retry_hint(&self) -> Option<Duration> {
        let hinted = matches!(self.kind, Kind::Exhausted | Kind::Unavailable);
        hinted.then(|| self.retry_after.unwrap_or(RETRY_AFTER_DEFAULT).min(RETRY_AFTER_MAX))
    }

    /// The `google.rpc.Status` body.
    #[must_use]
    pub fn http_body(&self, encoding: Encoding) -> Bytes {
        match encoding {
            Encoding::Protobuf => wire::protobuf(self),
            Encoding::Json => wire::json(self),
        }
    }

    /// A whole HTTP answer: status, `content-type`, `retry-after` in whole seconds, body.
    #[must_use]
    pub fn http_response(&self, encoding: Encoding) -> Response<Bytes> {
        let mut response = Response::new(self.http_body(encoding));
        *response.status_mut() = self.kind.http();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(encoding.content_type()));
        if let Some(hint) = self.retry_hint() {
            let seconds = hint.as_secs() + u64::from(hint.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }

    /// What a peer answered, read back: OTLP's retry rules decide the kind, `RetryInfo` the hint.
    #[must_use]
    pub fn from_grpc(status: &tonic::Status) -> Self {
        let retry_after = wire::retry_info(status.details());
        let kind = match status.code() {
            Code::InvalidArgument | Code::AlreadyExists => Kind::Invalid,
            Code::NotFound => Kind::NotFound,
            Code::Unauthenticated | Code::PermissionDenied => Kind::Unauthenticated,
            Code::Unimplemented => Kind::Unimplemented,
            Code::FailedPrecondition => Kind::FailedPrecondition,
            Code::ResourceExhausted if retry_after.is_some() => Kind::Exhausted,
            Code::ResourceExhausted => Kind::TooLarge,
            Code::DeadlineExceeded => Kind::DeadlineExceeded,
            Code::Unavailable | Code::Cancelled | Code::Aborted | Code::OutOfRange | Code::DataLoss => {
                Kind::Unavailable
            }
            Code::Ok | Code::Unknown | Code::Internal => Kind::Internal,
        };
        Self { kind, message: status.message().to_owned(), retry_after }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}

impl From<Status> for tonic::Status {
    fn from(status: Status) -> Self {
        let code = status.kind.grpc();
        match status.retry_hint() {
            Some(_) => Self::with_details(code, &status.message, wire::protobuf(&status)),
            None => Self::new(code, status.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_row_and_survives_the_wire() {
        for (kind, code, http) in Kind::TABLE {
            assert_eq!((kind.grpc(), kind.http()), (code, http));
            let grpc = tonic::Status::from(Status::new(kind, "why"));
            assert_eq!((grpc.code(), grpc.message()), (code, "why"));
            let back = Status::from_grpc(&grpc);
            assert_eq!(back.kind, kind);
            assert_eq!(back.retry_after.is_some(), matches!(kind, Kind::Exhausted | Kind::Unavailable));
        }
    }

    #[test]
    fn retry_hints_are_whole_seconds_under_ten() {
        let check = |kind, after: Option<u64>, expect: Option<&str>| {
            let status = Status { kind, message: "m".into(), retry_after: after.map(Duration::from_millis) };
            let response = status.http_response(Encoding::Json);
            let got = response.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok());
            assert_eq!(got, expect, "{kind:?} {after:?}");
        };
        check(Kind::Unavailable, None, Some("1"));
        check(Kind::Unavailable, Some(20), Some("1"));
        check(Kind::Exhausted, Some(2_500), Some("3"));
        check(Kind::Exhausted, Some(60_000), Some("9"));
        check(Kind::TooLarge, Some(1_000), None);
        check(Kind::Invalid, None, None);
    }

    #[test]
    fn bodies_are_google_rpc_status_in_both_encodings() {
        let status = Status {
            kind: Kind::Exhausted,
            message: "log is full".into(),
            retry_after: Some(Duration::from_millis(1500)),
        };
        let json = status.http_body(Encoding::Json);
        assert_eq!(
            std::str::from_utf8(&json).unwrap(),
            r#"{"code":8,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}],"message":"log is full"}"#
        );
        let back = tonic::Status::with_details(
            Code::ResourceExhausted,
            "log is full",
            status.http_body(Encoding::Protobuf),
        );
        assert_eq!(Status::from_grpc(&back), status);
        let plain = Status::new(Kind::Invalid, "bad \"id\"").http_body(Encoding::Json);
        assert_eq!(std::str::from_utf8(&plain).unwrap(), r#"{"code":3,"message":"bad \"id\""}"#);
    }
}
