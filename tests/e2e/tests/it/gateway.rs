//! Through the gateway: what a browser does after the first command of README.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::stack::{DEADLINE, Stack};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const TRACES: &str = "/api/datasources/proxy/uid/traces";

async fn send_span(stack: &Stack, http: &Client) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "<script>alert(1)</script>"}}]},
        "scopeSpans": [{"spans": [{
            "traceId": TRACE, "spanId": "eee19b7ec3c1b174", "name": "GET /", "kind": 2,
            "startTimeUnixNano": now.to_string(), "endTimeUnixNano": (now + 500_000).to_string()
        }]}]
    }]});
    http.post(format!("{}/v1/traces", stack.url(4318))).json(&body).send().await?.error_for_status()?;
    Ok(())
}

#[tokio::test]
async fn a_trace_is_read_after_a_login_and_by_nobody_else() -> Result<()> {
    let mut stack = Stack::start().await?;
    let http = Client::new();
    send_span(&stack, &http).await?;
    let gateway = stack.url(3001);
    let page = http.get(&gateway).send().await?;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await?.contains(r#""defaultPassword":true"#), "admin/admin is pointed out");

    let trace = format!("{gateway}{TRACES}/api/traces/{TRACE}");
    assert_eq!(http.get(&trace).send().await?.status(), StatusCode::UNAUTHORIZED);
    let credentials = json!({ "user": "admin", "password": "admin" });
    let login = http.post(format!("{gateway}/login")).json(&credentials).send().await?.error_for_status()?;
    let cookie = login.headers()["set-cookie"].to_str()?.split(';').next().context("no cookie")?.to_owned();
    let read = async || -> Result<Value> {
        let waiting = async {
            loop {
                let answer = http.get(&trace).header("cookie", &cookie).send().await?;
                if answer.status().is_success() {
                    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
                    return anyhow::Ok(answer.json().await?);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.context("the trace did not become visible")?
    };
    assert_eq!(read().await?["data"][0]["spans"][0]["operationName"], "GET /");

    // sessions are state like any other: they outlive `kill -9`
    stack.kill().await?;
    stack.restart().await?;
    assert_eq!(read().await?["data"][0]["traceID"], TRACE);
    let out = http.get(format!("{gateway}/logout")).header("cookie", &cookie).send().await?;
    assert!(out.status().is_success(), "the login page after the redirect");
    assert_eq!(http.get(&trace).header("cookie", &cookie).send().await?.status(), StatusCode::UNAUTHORIZED);
    Ok(())
}
