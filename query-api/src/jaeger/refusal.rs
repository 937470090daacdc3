//! Answers that are errors, in the envelope of either API version.
//!
//! Knows: statuses and envelopes. Must not know: who refuses. Start at [`Refusal`].

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime_service::{Kind, Status};
use serde::Serialize;
use serde_json::json;

use crate::backend::Partial;

/// The header that says what an answer lacks.
pub(crate) const PARTIAL_HEADER: &str = "x-yc-partial";

/// Number of the next refused request of `/api/yc/v1`.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: Status,
    partial: Partial,
}

/// One element of v1's `errors`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ErrorEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u16>,
    pub(crate) msg: String,
    #[serde(rename = "traceID", skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
}

impl ErrorEntry {
    /// What an answer lacks, for a whole answer nothing.
    pub(crate) fn of_partial(partial: &Partial) -> Option<Self> {
        let msg = format!("partial answer: {partial}");
        (!partial.is_empty()).then_some(Self { code: Some(206), msg, trace_id: None })
    }
}

impl Refusal {
    /// The request is wrong: 400.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Status::new(Kind::Invalid, message).into()
    }

    /// There is no such thing, or none that can be seen now: 404 when the absence is certain, else 503.
    pub(crate) fn absent(message: &str, partial: Partial) -> Self {
        if partial.may_heal() {
            let message = format!("{message} so far, and the answer is partial: {partial}");
            return Self { status: Status::retryable(Kind::Unavailable, message), partial };
        }
        Self { status: Status::new(Kind::NotFound, message), partial }
    }

    /// Nobody does this here: 404.
    pub(crate) fn not_offered(message: impl Into<String>) -> Self {
        Status::new(Kind::Unimplemented, message).into()
    }

    /// Something of ours broke: 500.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Status::new(Kind::Internal, message).into()
    }

    /// What the caller is told.
    pub(crate) fn message(&self) -> &str {
        &self.status.message
    }

    /// `{"data":null,…,"errors":[{"code":…,"msg":…}]}`.
    pub(crate) fn v1(self) -> Response {
        let entry =
            ErrorEntry { code: Some(self.code().as_u16()), msg: self.status.message.clone(), trace_id: None };
        let envelope = Envelope { data: (), total: 0, limit: 0, offset: 0, errors: Some(vec![entry]) };
        self.response(serde_json::to_string(&envelope).unwrap_or_default())
    }

    /// `{"error":{"httpCode":…,"message":…}}`.
    pub(crate) fn v3(self) -> Response {
        let error = json!({ "error": { "httpCode": self.code().as_u16(), "message": self.status.message } });
        self.response(error.to_string())
    }

    /// `{"error":{"code":…,"message":…,"requestId":…}}`; what is ours to mend is logged under the same id.
    pub(crate) fn yc(self) -> Response {
        let code = self.code();
        let request_id = format!("{:016x}", REQUESTS.fetch_add(1, Ordering::Relaxed));
        if code.is_server_error() {
            tracing::warn!(request_id, code = code.as_u16(), message = self.status.message, "refused");
        }
        let error = json!({ "code": code.as_u16(), "message": self.status.message, "requestId": request_id });
        let mut response = self.response(json!({ "error": error }).to_string());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// What was asked about is not as the caller knows it any more: 412.
    pub(crate) fn changed(message: impl Into<String>) -> Self {
        Self { status: Status::new(Kind::FailedPrecondition, message), partial: Partial::default() }
    }

    fn code(&self) -> StatusCode {
        self.status.kind.http()
    }

    /// Jaeger writes errors with Go's `http.Error`: plain text and a line end.
    fn response(self, body: String) -> Response {
        let mut response = (self.code(), body + "\n").into_response();
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(hint) = self.status.retry_hint() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(hint.as_secs().max(1)));
        }
        mark_partial(&mut response, &self.partial);
        response
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self { status, partial: Partial::default() }
    }
}

/// v1's envelope of everything.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<T> {
    pub(crate) data: T,
    pub(crate) total: usize,
    pub(crate) limit: u32,
    pub(crate) offset: u32,
    pub(crate) errors: Option<Vec<ErrorEntry>>,
}

/// Says in the head of an answer what it lacks.
pub(crate) fn mark_partial(response: &mut Response, partial: &Partial) {
    if partial.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&partial.to_string()) {
        response.headers_mut().insert(PARTIAL_HEADER, value);
    }
}
