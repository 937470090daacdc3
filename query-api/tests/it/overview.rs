//! Services as a whole: dependencies, the monitor's metrics, and our own overview, over two partitions and more.

use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::{Value, json};

use crate::stack::{S, Stack, sent, span};

/// Calls of `shop` to `cart`: trace `id` starts in second `at`; the call fails if `failed`.
async fn calls(stack: &Stack, id: u128, at: u64, failed: bool) {
    let place = |mut span: Span, kind: i32| {
        (span.start_time_unix_nano, span.end_time_unix_nano) = (at * S, at * S + S / 100);
        span.kind = kind;
        span
    };
    let mut callee = place(span(id, 2, 1), 2);
    callee.status = failed.then(|| Status { code: 2, message: "out of stock".into() });
    stack.store.write(sent("shop", vec![place(span(id, 1, 0), 2)]));
    stack.store.write(sent("cart", vec![callee]));
}

/// 20 calls in each of two hours; in the second half of the second one, those of `cart` fail.
async fn filled() -> Stack {
    let stack = Stack::start(&[]).await;
    for n in 0..40_u64 {
        calls(&stack, u128::from(n + 1), 7200 + n * 180, n >= 30).await;
    }
    stack
}

#[tokio::test]
async fn dependencies_are_counted_over_all_partitions() {
    let stack = filled().await;
    let answer = stack.get("/api/dependencies?endTs=14400000&lookback=7200000").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["data"], json!([{"parent": "shop", "child": "cart", "callCount": 40}]));
    assert_eq!((&answer.json()["total"], &answer.json()["errors"]), (&json!(0), &Value::Null));
    let of_other = stack.get("/api/dependencies?endTs=14400000&lookback=7200000&service=bank").await;
    assert_eq!(of_other.json()["data"], json!([]));
    let later = stack.get("/api/dependencies?endTs=14400000&lookback=3600000").await;
    assert_eq!(later.json()["data"][0]["callCount"], 20);
    let wrong = stack.get("/api/dependencies?endTs=x").await;
    assert!(wrong.status == 400 && wrong.text.contains("unable to parse param 'endTs'"), "{}", wrong.text);
}

#[tokio::test]
async fn metrics_have_the_shape_that_the_monitor_reads() {
    let stack = filled().await;
    let window = "endTs=14400000&lookback=3600000&step=600000&ratePer=600000";
    let calls = stack.get(&format!("/api/metrics/calls?service=cart&{window}")).await.json();
    assert_eq!((&calls["name"], &calls["type"]), (&json!("service_call_rate"), &json!("GAUGE")));
    assert_eq!(calls["metrics"][0]["labels"], json!([{"name": "service_name", "value": "cart"}]));
    let points = calls["metrics"][0]["metricPoints"].as_array().unwrap();
    assert_eq!((points.len(), &points[0]["timestamp"]), (7, &json!("1970-01-01T03:00:00Z")));
    let rate = points[6]["gaugeValue"]["doubleValue"].as_f64().unwrap();
    assert!((rate - 3.0 / 600.0).abs() < 1.0 / 600.0, "{rate}");
    let errors =
        stack.get(&format!("/api/metrics/errors?service=cart&groupByOperation=true&{window}")).await.json();
    assert_eq!(errors["name"], "service_operation_error_rate");
    let labels = json!([{"name": "operation", "value": "op2"}, {"name": "service_name", "value": "cart"}]);
    assert_eq!(errors["metrics"][0]["labels"], labels);
    let shares = errors["metrics"][0]["metricPoints"].as_array().unwrap();
    let share = |at: usize| shares[at]["gaugeValue"]["doubleValue"].as_f64().unwrap();
    assert_eq!((share(0), share(6)), (0.0, 1.0));
    let latencies =
        stack.get(&format!("/api/metrics/latencies?service=cart&quantile=0.95&{window}")).await.json();
    let p95 = latencies["metrics"][0]["metricPoints"][3]["gaugeValue"]["doubleValue"].as_f64().unwrap();
    assert!((9.0..11.0).contains(&p95), "{p95} ms");
    let check = async |path: &str, expect: &str| {
        let answer = stack.get(path).await;
        assert!(answer.status == 400 && answer.text.contains(expect), "{path}: {}", answer.text);
    };
    check("/api/metrics/calls", "please provide at least one service name").await;
    check("/api/metrics/latencies?service=a", "strconv.ParseFloat: parsing").await;
    check("/api/metrics/calls?service=a&spanKind=x", "unsupported span kind: 'x'").await;
    check("/api/metrics/calls?service=a&step=x", "unable to parse param 'step'").await;
}

#[tokio::test]
async fn the_overview_says_what_is_broken_since_when_and_why() {
    let stack = filled().await;
    let (start, end) = (10_800 * S, 14_400 * S);
    let path = format!(
        "/api/yc/v1/overview?start={start}&end={end}&compareStart={}&compareEnd={start}&step=600",
        7_200 * S
    );
    let answer = stack.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = answer.json();
    assert_eq!((&answer["stepSeconds"], &answer["partial"]), (&json!(600), &json!([])));
    assert_eq!(answer["dataFrom"], (7_200 * S).to_string());
    assert!(answer["rule"].as_str().unwrap().contains("Broken:"));
    let cart = &answer["services"][0];
    assert_eq!(
        (&cart["name"], &cart["state"], &cart["basis"]),
        (&json!("cart"), &json!("broken"), &json!("server"))
    );
    assert_eq!(
        (&cart["calls"], &cart["errors"], &cart["then"]["errors"]),
        (&json!(20), &json!(10), &json!(0))
    );
    assert_eq!(cart["series"]["calls"].as_array().unwrap().len(), 6);
    let why = &cart["why"];
    assert_eq!((&why["kind"], &why["since"]), (&json!("errors"), &json!((12_600 * S).to_string())));
    let error = json!({"text": "out of stock", "type": "", "operation": "op2", "count": 10, "share": 1.0});
    assert_eq!(why["error"], error);
    let shop = &answer["services"][1];
    assert_eq!(
        (&shop["name"], &shop["state"], &shop["why"]),
        (&json!("shop"), &json!("usual"), &Value::Null)
    );
    let wrong = stack.get("/api/yc/v1/overview?start=5&end=5").await;
    assert_eq!((wrong.status, &wrong.json()["error"]["code"]), (400, &json!(400)));
}

#[tokio::test]
async fn red_and_graph_show_groups_and_edges() {
    let stack = filled().await;
    let window = format!("start={}&end={}", 7_200 * S, 14_400 * S);
    let red =
        stack.get(&format!("/api/yc/v1/red?service=cart&groupBy=operation&step=3600&{window}")).await.json();
    let group = &red["groups"][0];
    assert_eq!(
        (&group["operation"], &group["kind"], &group["calls"]),
        (&json!("op2"), &json!("server"), &json!(40))
    );
    assert_eq!(group["series"]["errors"], json!([0, 10]));
    assert_eq!(group["totalNano"], 40 * S / 100);
    let graph = stack.get(&format!("/api/yc/v1/graph?{window}")).await.json();
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 2);
    let edge = &graph["edges"][0];
    assert_eq!((&edge["caller"], &edge["callee"]), (&json!("shop"), &json!("cart")));
    assert_eq!((&edge["calls"], &edge["errors"], &edge["then"]), (&json!(40), &json!(10), &Value::Null));
    assert_eq!(stack.get("/api/yc/v1/red?kind=x").await.status, 400);
}
