//! What is served besides answers about traces: the web app, uploads, compression.

use serde_json::json;

use crate::stack::{Stack, sent, span};

#[tokio::test]
async fn every_path_that_is_no_api_is_the_apps() {
    let stack = Stack::start(&[]).await;
    for path in ["/", "/search", "/trace/abc?uiFind=x", "/trace/a...b", "/dependencies", "/no/such/page"] {
        let page = stack.get(path).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(page.text.contains(r#""mode":"query""#), "{}", page.text);
        assert!(page.header("content-security-policy").is_some());
    }
    for path in ["/api", "/api/", "/api/nope", "/api/yc/v1/nope", "/api/v3/nope"] {
        let missed = stack.get(path).await;
        assert_eq!((missed.status, missed.text.as_str()), (404, "404 page not found\n"), "{path}");
    }
    assert_eq!(stack.post("/search", "").await.status, 404);
    assert_eq!(stack.post("/api/services", "").await.status, 404);
}

#[tokio::test]
async fn an_uploaded_trace_is_answered_like_a_stored_one() {
    let stack = Stack::start(&[]).await;
    let span = |id: &str| {
        json!({ "traceId": id, "spanId": "cd".repeat(8), "name": "n", "startTimeUnixNano": "5000",
        "endTimeUnixNano": "9000" })
    };
    let scope =
        json!([{ "spans": [span(&"ab".repeat(16)), span(&"ac".repeat(16)), span(&"ab".repeat(16))] }]);
    let body = json!({ "resourceSpans": [{ "scopeSpans": scope }] });
    let answer = stack.post("/api/transform", &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.json()["data"].clone();
    assert_eq!(
        (&data[0]["traceID"], &data[1]["traceID"]),
        (&json!("ab".repeat(16)), &json!("ac".repeat(16)))
    );
    assert_eq!(data[0]["spans"].as_array().unwrap().len(), 1, "the same span twice is shown once");
    assert_eq!(stack.post("/api/transform", "{}").await.json()["data"], json!([]));
    let broken = stack.post("/api/transform", "[]").await;
    assert_eq!(broken.status, 400);
    assert!(broken.text.contains("cannot unmarshal OTLP : "), "{}", broken.text);
}

#[tokio::test]
async fn long_answers_are_compressed_for_whoever_takes_it() {
    let stack = Stack::start(&[]).await;
    stack.store.write(sent("s", (1..100).map(|n| span(1, n, 0)).collect()));
    let encoding = async |path: &str, accepted: &str| {
        let answer = stack.get_with(path, &[("accept-encoding", accepted)]).await;
        answer.header("content-encoding").unwrap_or("none").to_owned()
    };
    for path in ["/api/traces/1", "/api/yc/v1/traces/1/skeleton"] {
        assert_eq!(encoding(path, "gzip").await, "gzip", "{path}");
        assert_eq!(encoding(path, "br, gzip").await, "br", "{path}");
        assert_eq!(encoding(path, "identity").await, "none", "{path}");
    }
    assert_eq!(encoding("/api/services", "gzip").await, "none");
}
