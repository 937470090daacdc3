//! The admin endpoints.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use prometheus_client::metrics::counter::Counter;
use runtime_service::Admin;
use tower::ServiceExt;

#[tokio::test]
async fn admin_endpoints_say_how_the_service_is() {
    let mut admin = Admin::new("toy", "token: <redacted>\n".to_owned());
    let counter = Counter::<u64>::default();
    counter.inc_by(3);
    admin.registry.register("toy_requests", "Requests taken", counter);
    admin.ready_write = Arc::new(|| Err("the log is full".to_owned()));
    let router = admin.router();
    let check = async |path: &str, status: StatusCode, expect: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains(expect), "{path}: {text}");
    };
    check("/health", StatusCode::OK, r#""status":"ok""#).await;
    check("/ready/read", StatusCode::OK, r#""ready":true"#).await;
    check("/ready/write", StatusCode::SERVICE_UNAVAILABLE, "the log is full").await;
    check("/metrics", StatusCode::OK, "toy_requests_total 3").await;
    check("/config", StatusCode::OK, "<redacted>").await;
    check("/buildinfo", StatusCode::OK, env!("CARGO_PKG_VERSION")).await;
    check("/none", StatusCode::NOT_FOUND, "").await;
}
