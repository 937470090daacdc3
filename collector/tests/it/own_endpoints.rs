//! Health check, own metrics, admin endpoints.

use crate::rig::{NextHop, Rig};
use crate::wire::http;

fn authority(url: &str) -> &str {
    url.trim_start_matches("http://").split('/').next().unwrap()
}

#[tokio::test]
async fn the_health_check_answers_as_the_reference_does() {
    let rig = Rig::start(&NextHop::fine(), "").await;
    let url = rig.running.url("health check").unwrap().to_owned();
    let answer = http(authority(&url), "GET", "/", &[], b"").await;
    assert_eq!(answer.status, 200);
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["status"], "Server available");
    assert!(body["upSince"].as_str().unwrap().ends_with('Z'));
    rig.drain().await;

    let more = "extensions::health_check: {path: /ready, response_body: {healthy: fine, unhealthy: not}}";
    let rig = Rig::start(&NextHop::fine(), more).await;
    let url = rig.running.url("health check").unwrap().to_owned();
    assert!(url.ends_with("/ready"), "{url}");
    assert_eq!(http(authority(&url), "GET", "/ready", &[], b"").await.text(), "fine");
    assert_eq!(http(authority(&url), "GET", "/", &[], b"").await.status, 404);
    rig.drain().await;
}

#[tokio::test]
async fn own_metrics_and_configuration_are_served() {
    let rig = Rig::start(&NextHop::fine(), "exporters::otlp_grpc::headers: {authorization: hunter2}").await;
    let url = rig.running.url("own metrics").unwrap().to_owned();
    let at = authority(&url).to_owned();
    let text = http(&at, "GET", "/metrics", &[], b"").await.text();
    for name in [
        "otelcol_receiver_accepted_spans",
        "otelcol_receiver_refused_log_records",
        "otelcol_exporter_sent_metric_points",
        "otelcol_exporter_enqueue_failed_spans",
        "otelcol_exporter_queue_size",
        "otelcol_exporter_queue_capacity",
        "otelcol_exporter_in_flight_requests",
        "otelcol_processor_incoming_items",
        "otelcol_processor_outgoing_items",
        "otelcol_process_memory_rss",
        "otelcol_process_uptime",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(name) && !line.starts_with('#')),
            "{name} in\n{text}"
        );
    }
    assert_eq!(http(&at, "GET", "/ready/write", &[], b"").await.status, 200);
    let config = http(&at, "GET", "/config", &[], b"").await.text();
    assert!(config.contains("receivers:") && !config.contains("hunter2"), "{config}");
    rig.drain().await;
}
