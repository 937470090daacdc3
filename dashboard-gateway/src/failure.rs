//! Refusals in Grafana's shape: `{"message":"…"}`.
//!
//! Knows: statuses and public words. Must not know: causes beyond logging them. Start at [`Failure`].

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::state::StateError;

/// An answer that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    status: StatusCode,
    message: Cow<'static, str>,
    retry_after_seconds: Option<u64>,
}

impl Failure {
    /// `status` with a public `message`.
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), retry_after_seconds: None }
    }

    /// 400.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401: who are you.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized")
    }

    /// 403: not you.
    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404.
    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 429 with the time to wait.
    pub(crate) fn too_many(message: impl Into<Cow<'static, str>>, seconds: u64) -> Self {
        let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, message);
        Self { retry_after_seconds: Some(seconds), ..failure }
    }

    /// 503 with a hint to try again.
    pub(crate) fn busy(message: impl Into<Cow<'static, str>>) -> Self {
        let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, message);
        Self { retry_after_seconds: Some(1), ..failure }
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Its public words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        tracing::error!(%error, "state is not available");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error, see the log of dashboard-gateway",
        )
    }
}

impl From<runtime_service::Status> for Failure {
    fn from(status: runtime_service::Status) -> Self {
        match status.kind.is_retryable() {
            true => Self::busy(status.message),
            false => Self::new(status.kind.http(), status.message),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(json!({ "message": self.message }))).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
