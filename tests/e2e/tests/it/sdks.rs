//! Spans of the real SDKs are read back equal.

use anyhow::Result;
use e2e::canonical;
use e2e::sdk::{Program, run};
use e2e::stack::Stack;
use serde_json::Value;

const TRACES: usize = 5;

/// Sends with `program` and compares every span with what api_v3 answers, before and after a flush and a restart.
async fn check(program: Program, protocol: Option<&str>, port: u16) -> Result<Value> {
    let mut stack = Stack::start().await?;
    let (endpoint, traces) = (stack.url(port), TRACES.to_string());
    let args: Vec<&str> = protocol.into_iter().chain([endpoint.as_str(), traces.as_str()]).collect();
    let report = run(program, &args).await?;
    assert_eq!(report["failed"], 0, "{program:?} {protocol:?}: {}", report["errors"]);
    let mut sent = report["spans"].as_array().expect("spans").clone();
    canonical::sort(&mut sent);
    assert!(sent.len() >= 2 * TRACES, "{program:?} sent only {} spans", sent.len());
    assert_equal(&read_back(&stack, &sent).await?, &sent);
    assert!(stack.terminate().await?.success());
    stack.restart().await?;
    assert_equal(&read_back(&stack, &sent).await?, &sent);
    Ok(report)
}

fn assert_equal(got: &[Value], sent: &[Value]) {
    assert_eq!(got.len(), sent.len(), "spans read back and sent");
    for (got, sent) in got.iter().zip(sent) {
        assert_eq!(got, sent);
    }
}

async fn read_back(stack: &Stack, sent: &[Value]) -> Result<Vec<Value>> {
    let mut ids: Vec<&str> = sent.iter().filter_map(|s| s["traceId"].as_str()).collect();
    ids.dedup();
    let mut spans = Vec::new();
    for id in ids {
        let url = format!("{}/api/v3/traces/{id}?rawTraces=true", stack.url(16686));
        let answer: Value = reqwest::get(url).await?.error_for_status()?.json().await?;
        spans.extend(canonical::spans(&answer));
    }
    canonical::sort(&mut spans);
    Ok(spans)
}

#[tokio::test]
async fn python_spans_over_grpc_are_read_back_equal() -> Result<()> {
    check(Program::Python, Some("grpc"), 4317).await.map(drop)
}

#[tokio::test]
async fn python_spans_over_http_are_read_back_equal() -> Result<()> {
    check(Program::Python, Some("http"), 4318).await.map(drop)
}

#[tokio::test]
async fn both_protocols_work_on_both_ports() -> Result<()> {
    check(Program::Python, Some("grpc"), 4318).await?;
    check(Program::Python, Some("http"), 4317).await.map(drop)
}

#[tokio::test]
async fn node_spans_over_grpc_are_read_back_equal() -> Result<()> {
    check(Program::Node, Some("grpc"), 4317).await.map(drop)
}

#[tokio::test]
async fn node_spans_over_http_protobuf_are_read_back_equal() -> Result<()> {
    check(Program::Node, Some("proto"), 4318).await.map(drop)
}

#[tokio::test]
async fn node_spans_over_http_json_are_read_back_equal() -> Result<()> {
    check(Program::Node, Some("json"), 4318).await.map(drop)
}

#[tokio::test]
async fn browser_spans_pass_a_real_preflight_and_are_read_back_equal() -> Result<()> {
    let report = check(Program::Browser, None, 4318).await?;
    let preflights = report["preflights"].as_array().expect("preflights");
    assert!(!preflights.is_empty(), "the browser made no preflight");
    assert!(preflights.iter().all(|p| p["status"] == 204), "{preflights:?}");
    Ok(())
}
