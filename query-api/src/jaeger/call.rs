//! What every request of every dialect begins with: its parameters, and the positions that its answer must include.
//!
//! Knows: headers and query strings, in which words each dialect refuses. Must not know: routes. Start at [`Call`].

use std::marker::PhantomData;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use runtime_service::Status;

use crate::backend::Positions;

use super::params::Params;
use super::refusal::Refusal;

/// Positions that an answer must include, as a write's answer gave them.
const POSITION_HEADER: &str = "x-yc-position";
/// The same as a query parameter, for clients that cannot set headers.
const POSITION_PARAM: &str = "min-position";

/// How an API says no.
pub(crate) trait Dialect: Send + 'static {
    /// The refusal as an answer.
    fn refuse(refusal: Refusal) -> Response;
}

/// Jaeger's v1.
pub(crate) struct V1;
/// Jaeger's v3.
pub(crate) struct V3;
/// Our own `/api/yc/v1`.
pub(crate) struct Yc;

impl Dialect for V1 {
    fn refuse(refusal: Refusal) -> Response {
        refusal.v1()
    }
}

impl Dialect for V3 {
    fn refuse(refusal: Refusal) -> Response {
        refusal.v3()
    }
}

impl Dialect for Yc {
    fn refuse(refusal: Refusal) -> Response {
        refusal.yc()
    }
}

/// The opening of a request.
pub(crate) struct Call<D> {
    pub(crate) params: Params,
    pub(crate) at_least: Positions,
    pub(crate) began: Instant,
    dialect: PhantomData<fn() -> D>,
}

/// A refusal in the words of a dialect: what handlers fail with.
pub(crate) struct Refused<D>(Refusal, PhantomData<fn() -> D>);

impl<D> From<Refusal> for Refused<D> {
    fn from(refusal: Refusal) -> Self {
        Self(refusal, PhantomData)
    }
}

impl<D> From<Status> for Refused<D> {
    fn from(status: Status) -> Self {
        Self(status.into(), PhantomData)
    }
}

impl<D: Dialect> IntoResponse for Refused<D> {
    fn into_response(self) -> Response {
        D::refuse(self.0)
    }
}

impl<S: Sync, D: Dialect> FromRequestParts<S> for Call<D> {
    type Rejection = Refused<D>;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let began = Instant::now();
        let params = Params::parse(parts.uri.query());
        let at_least = positions(&parts.headers, &params)?;
        Ok(Self { params, at_least, began, dialect: PhantomData })
    }
}

fn positions(headers: &HeaderMap, params: &Params) -> Result<Positions, Refusal> {
    let mut positions = Positions::default();
    let from_headers = headers.get_all(POSITION_HEADER).iter().map(|v| v.to_str().unwrap_or("(no text)"));
    for text in from_headers.chain(params.all(POSITION_PARAM)) {
        positions.parse(text).map_err(|e| Refusal::invalid(e.to_string()))?;
    }
    Ok(positions)
}
