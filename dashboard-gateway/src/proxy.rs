//! The reverse proxy to query-api: two fixed upstreams, and only what the rules name.
//!
//! Knows: the upstreams, bounds of time and bytes. Must not know: what is in an answer. Start at [`forward`]; `rules`
//! says what may be asked, `headers` what passes, `bounded` how long and how much.

mod bounded;
mod headers;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Principal;
use crate::config;
use crate::failure::Failure;
use crate::metrics::Upstream;
use crate::room::Room;

use bounded::Bounded;
pub(crate) use rules::Source;

/// query-api is a neighbour.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections to an upstream.
const IDLE_MAX: usize = 64;
/// How long a health check may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Both upstreams.
pub(crate) struct Proxy {
    client: Client<HttpConnector, Body>,
    traces: String,
    metrics: String,
    limits: config::Proxy,
    permits: Arc<Semaphore>,
}

impl Proxy {
    /// A proxy to `traces` and `metrics`, both `host:port`.
    pub(crate) fn new(traces: String, metrics: String, limits: config::Proxy) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_MAX)
            .build(connector);
        let permits = Arc::new(Semaphore::new(limits.requests_max));
        Self { client, traces, metrics, limits, permits }
    }

    fn authority(&self, source: Source) -> &str {
        match source {
            Source::Traces => &self.traces,
            Source::Metrics => &self.metrics,
        }
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let taken = Arc::clone(&self.permits).try_acquire_owned();
        taken.map_err(|_none_left| Failure::busy("Too many requests to data sources at once, try again"))
    }

    /// Sends `request` to `source` and waits for the head of its answer.
    async fn send(
        &self,
        source: Source,
        request: http::Request<Body>,
        timeout: Duration,
    ) -> Result<http::Response<hyper::body::Incoming>, Failure> {
        let asked = tokio::time::timeout(timeout, self.client.request(request)).await;
        let name = source.name();
        match asked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::warn!(source = name, %error, "data source does not answer");
                let too_large = std::iter::successors(std::error::Error::source(&error), |e| e.source())
                    .any(|e| e.is::<http_body_util::LengthLimitError>());
                Err(match too_large {
                    true => Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
                    false => {
                        let message =
                            format!("Data source {name} does not answer: query-api cannot be reached");
                        Failure::new(StatusCode::BAD_GATEWAY, message)
                    }
                })
            }
            Err(_elapsed) => {
                let message = format!("Data source {name} gave no answer within {timeout:?}");
                Err(Failure::new(StatusCode::GATEWAY_TIMEOUT, message))
            }
        }
    }

    /// Whether `source` answers a small question.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn probe(&self, source: Source) -> Result<(), Failure> {
        let uri = format!("http://{}{}", self.authority(source), source.probe_path());
        let request = http::Request::get(uri).body(Body::empty());
        let request = request.map_err(|_not_a_uri| Failure::invalid("Data source has no usable address"))?;
        let answer = self.send(source, request, PROBE_TIMEOUT).await?;
        match answer.status().is_success() {
            true => Ok(()),
            false => {
                let message = format!("Data source {} answers {}", source.name(), answer.status());
                Err(Failure::new(StatusCode::BAD_GATEWAY, message))
            }
        }
    }
}

/// `GET` and `POST /api/datasources/proxy/uid/{uid}/{*path}`
pub(crate) async fn forward(
    State(room): State<Arc<Room>>,
    Extension(principal): Extension<Principal>,
    Path((uid, _decoded)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(source) = Source::find(&uid) else {
        return Failure::not_found("Data source not found").into_response();
    };
    let answered = pass(&room, source, &principal, request).await;
    answered.unwrap_or_else(|failure| {
        if failure.status().is_server_error() {
            room.metrics.upstream_failures.get_or_create(&Upstream { source: source.name() }).inc();
        }
        failure.into_response()
    })
}

async fn pass(
    room: &Room,
    source: Source,
    principal: &Principal,
    request: Request,
) -> Result<Response, Failure> {
    let proxy = &room.proxy;
    // as it was sent: the door has refused every path whose decoded form could mean another
    let marker = format!("/api/datasources/proxy/uid/{}", source.uid());
    let path = request.uri().path().strip_prefix(&marker).unwrap_or_default();
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let least = rules::least_role(source, method, path)
        .ok_or_else(|| Failure::forbidden("This path of the data source is not proxied"))?;
    if principal.role().is_none_or(|role| role < least) {
        return Err(Failure::forbidden("You do not have the permission for this"));
    }
    rules::check_body(request.method(), request.headers())?;
    let permit = proxy.permit()?;
    let upstream = upstream_request(proxy, source, path.to_owned(), request)?;
    let answer = proxy.send(source, upstream, proxy.limits.timeout).await?;
    let (parts, body) = answer.into_parts();
    let headers = headers::of_answer(parts.status, &parts.headers)?;
    let deadline = tokio::time::Instant::now() + proxy.limits.answer_time_max;
    // a dropped body closes the connection to query-api, which then stops working for nobody
    let mut response = Response::new(Body::new(Bounded::new(body, deadline, permit)));
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn upstream_request(
    proxy: &Proxy,
    source: Source,
    path: String,
    request: Request,
) -> Result<http::Request<Body>, Failure> {
    let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
    let authority = proxy.authority(source);
    let uri = format!("http://{authority}{path}{query}").parse::<Uri>();
    let uri = uri.map_err(|_not_a_uri| Failure::invalid("Path is not well-formed"))?;
    let bytes_max = usize::try_from(proxy.limits.body_bytes_max).unwrap_or(usize::MAX);
    let (parts, body) = request.into_parts();
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > proxy.limits.body_bytes_max) {
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"));
    }
    let mut kept = headers::of_request(&parts.headers);
    let body = if parts.method == Method::POST {
        Body::new(Limited::new(body, bytes_max).map_err(axum::Error::new))
    } else {
        // query-api would wait for a body that is announced and does not come
        for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING] {
            kept.remove(name);
        }
        Body::empty()
    };
    let mut out = http::Request::new(body);
    *out.method_mut() = parts.method.clone();
    *out.uri_mut() = uri;
    *out.headers_mut() = kept;
    if let Ok(host) = HeaderValue::from_str(authority) {
        out.headers_mut().insert(header::HOST, host);
    }
    Ok(out)
}
