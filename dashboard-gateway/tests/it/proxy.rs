//! The reverse proxy: what passes, what does not, and what happens when somebody is slow or leaves.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::Method;
use runtime_service::{Shutdown, Tasks};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::rig::{As, Rig, answer, upstream};

const TRACES: &str = "/api/datasources/proxy/uid/traces";
const DEADLINE: Duration = Duration::from_secs(60);

async fn rig(sets: &[&str]) -> (Rig, As) {
    let upstream = upstream().await;
    let (traces, metrics) = (format!("upstreams.traces={upstream}"), format!("upstreams.metrics={upstream}"));
    let sets: Vec<&str> =
        [traces.as_str(), metrics.as_str()].into_iter().chain(sets.iter().copied()).collect();
    let rig = Rig::start(&sets).await;
    let who = rig.user("ann", "Viewer").await;
    (rig, who)
}

fn headers(told: &Value) -> String {
    told["headers"].to_string().to_lowercase()
}

#[tokio::test]
async fn paths_queries_and_bodies_pass_and_credentials_do_not() {
    let (rig, who) = rig(&[]).await;
    let path = format!("{TRACES}/api/traces?service=a%2Fb&tags=%7B%22k%22%3A%22%3Cb%3E%22%7D");
    let request = rig.request(Method::GET, &path, &who).header("x-yc-position", "traces/1@2");
    let response =
        request.header("x-forwarded-for", "6.6.6.6").header("connection", "close").send().await.unwrap();
    let passed = response.headers().clone();
    let (status, told) = answer(response).await;
    assert_eq!(
        (status, &told["path"]),
        (200, &json!("/api/traces?service=a%2Fb&tags=%7B%22k%22%3A%22%3Cb%3E%22%7D"))
    );
    let seen = headers(&told);
    assert!(seen.contains("x-yc-position: traces/1@2"), "{seen}");
    for secret in ["cookie", "authorization", "yc_session", "forwarded"] {
        assert!(!seen.contains(secret), "{secret} reached query-api: {seen}");
    }
    assert_eq!(passed["x-yc-partial"], "traces/1=x");
    assert_eq!(passed["x-content-type-options"], "nosniff");
    assert!(!passed.contains_key("set-cookie"), "{passed:?}");
    // a GET that brings a body passes without it, and without waiting for it
    let (status, told) =
        rig.send(Method::GET, &format!("{TRACES}/api/services"), &who, &json!({ "a": 1 })).await;
    assert_eq!((status, &told["body"]), (200, &json!("")));
    assert!(!headers(&told).contains("content-"), "{told}");
    let script = rig.token("ci", "Viewer", 0).await;
    let (_, told) = rig.get(&format!("{TRACES}/api/services/a%20b/operations"), &script).await;
    assert_eq!(told["path"], "/api/services/a%20b/operations");
    assert!(!headers(&told).contains("authorization"), "{told}");
    let request = rig.request(Method::POST, "/api/datasources/proxy/uid/metrics/api/v1/query", &who);
    let form = request.header("content-type", "application/x-www-form-urlencoded").body("query=up");
    let (status, told) = answer(form.send().await.unwrap()).await;
    assert_eq!((status, &told["body"], &told["method"]), (200, &json!("query=up"), &json!("POST")));
    rig.stop().await;
}

#[tokio::test]
async fn no_page_passes_whatever_query_api_says() {
    let (rig, who) = rig(&[]).await;
    for media_type in ["text_html", "image_svg+xml", "application_xhtml+xml", "text_javascript"] {
        let (status, told) = rig.get(&format!("{TRACES}/api/traces/{media_type}"), &who).await;
        assert_eq!(status, 502, "{told}");
        assert!(told["message"].as_str().unwrap().contains(&media_type.replace('_', "/")), "{told}");
    }
    let skeleton =
        rig.request(Method::GET, &format!("{TRACES}/api/traces/application_vnd.yc.skeleton.v1"), &who);
    assert_eq!(skeleton.send().await.unwrap().headers()["content-type"], "application/vnd.yc.skeleton.v1");
    rig.stop().await;
}

#[tokio::test]
async fn bodies_and_roles_are_bounded() {
    let (rig, who) = rig(&["proxy.body_bytes_max=1000"]).await;
    let path = format!("{TRACES}/api/transform");
    let post = async |body: Body, length: bool| {
        let mut request = rig.request(Method::POST, &path, &who).header("content-type", "application/json");
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        if length {
            request = request.body(bytes);
        } else {
            // without a length the body is counted as it comes
            let pieces: Vec<_> = bytes
                .chunks(100)
                .map(|c| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(c))))
                .collect();
            request = request.body(reqwest::Body::wrap(StreamBody::new(futures_util::stream::iter(pieces))));
        }
        answer(request.send().await.unwrap()).await
    };
    assert_eq!(post(Body::from("x".repeat(1000)), true).await.0, 200);
    assert_eq!(post(Body::from("x".repeat(1001)), true).await.0, 413);
    assert_eq!(post(Body::from("x".repeat(1001)), false).await.0, 413);
    let archive = format!("{TRACES}/api/archive/5b8e");
    assert_eq!(rig.send(Method::POST, &archive, &who, &json!({})).await.0, 403);
    let editor = rig.user("ed", "Editor").await;
    assert_eq!(rig.send(Method::POST, &archive, &editor, &json!({})).await.0, 200);
    rig.stop().await;
}

#[tokio::test]
async fn a_source_that_is_away_or_slow_is_named() {
    // held and never answered
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let traces = format!("upstreams.traces={}", silent.local_addr().unwrap());
    let away = format!("upstreams.metrics=127.0.0.2:{}", silent.local_addr().unwrap().port());
    let rig = Rig::start(&[&traces, &away, "proxy.timeout=100ms"]).await;
    let who = rig.admin().await;
    let (status, told) = rig.get(&format!("{TRACES}/api/services"), &who).await;
    assert_eq!(
        (status, told["message"].as_str().unwrap()),
        (504, "Data source traces gave no answer within 100ms")
    );
    let (status, told) = rig.get("/api/datasources/proxy/uid/metrics/api/v1/labels", &who).await;
    assert_eq!(status, 502, "{told}");
    assert!(told["message"].as_str().unwrap().contains("metrics does not answer"), "{told}");
    let (status, told) = rig.get("/api/datasources/uid/metrics/health", &who).await;
    assert_eq!((status, &told["status"]), (400, &json!("ERROR")));
    rig.stop().await;
}

#[tokio::test]
async fn both_sources_are_listed_and_answer_for_their_health() {
    let (rig, who) = rig(&[]).await;
    let (_, sources) = rig.get("/api/datasources", &who).await;
    let of = |key: &str| {
        sources.as_array().unwrap().iter().map(|s| s[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (of("uid"), of("type")),
        (vec!["traces".into(), "metrics".into()], vec!["jaeger".into(), "prometheus".into()])
    );
    assert_eq!(rig.get("/api/datasources/uid/traces", &who).await.1["access"], "proxy");
    assert_eq!(rig.get("/api/datasources/uid/none", &who).await.0, 404);
    assert_eq!(rig.get("/api/datasources/uid/traces/health", &who).await.1["status"], "OK");
    rig.stop().await;
}

/// Tells when it is dropped, and never ends.
struct Endless(mpsc::UnboundedSender<()>);

impl Drop for Endless {
    fn drop(&mut self) {
        let _nobody_listens = self.0.send(());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_api_stops_when_the_client_leaves_before_or_during_the_answer() {
    let (left, mut leaving) = mpsc::unbounded_channel();
    let (asked, mut arriving) = mpsc::unbounded_channel();
    let endless = move |request: Request<Body>| {
        let (guard, asked) = (Endless(left.clone()), asked.clone());
        async move {
            asked.send(()).unwrap();
            if request.uri().path() == "/api/services" {
                std::future::pending::<()>().await;
            }
            let pieces = futures_util::stream::unfold((guard, 0_u64), |(guard, n)| async move {
                match n {
                    0 => Some((Ok::<_, std::io::Error>("{"), (guard, 1))),
                    _ => std::future::pending().await,
                }
            });
            ([("content-type", "application/json")], Body::from_stream(pieces))
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let traces = format!("upstreams.traces={}", listener.local_addr().unwrap());
    let tasks = Tasks::new(Shutdown::default());
    tasks.spawn("upstream", async move {
        axum::serve(listener, axum::Router::new().fallback(endless)).await.unwrap();
    });
    let rig = Rig::start(&[&traces]).await;
    let who = rig.admin().await;
    for path in ["api/services", "api/operations"] {
        let request = rig.request(Method::GET, &format!("{TRACES}/{path}"), &who).send();
        let asking = tokio::time::timeout(DEADLINE, async {
            tokio::select! {
                response = request => {
                    // the head is there, and the first byte; then the client leaves
                    let mut response = response.unwrap();
                    assert_eq!(response.chunk().await.unwrap().unwrap(), "{");
                }
                // no head comes: the client leaves once query-api has the question
                _ = arriving.recv(), if path == "api/services" => {}
            }
        });
        asking.await.unwrap();
        tokio::time::timeout(DEADLINE, leaving.recv()).await.expect("query-api goes on working for nobody");
    }
    tasks.cancel();
    rig.stop().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_broken_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let traces = format!("upstreams.traces={}", listener.local_addr().unwrap());
    let slow = || async {
        let pieces = futures_util::stream::unfold(0_u64, |n| async move {
            match n {
                0 => Some((Ok::<_, std::io::Error>("{"), 1)),
                _ => std::future::pending().await,
            }
        });
        ([("content-type", "application/json")], Body::from_stream(pieces))
    };
    let tasks = Tasks::new(Shutdown::default());
    tasks.spawn("upstream", async move {
        axum::serve(listener, axum::Router::new().fallback(slow)).await.unwrap();
    });
    let rig = Rig::start(&[&traces, "proxy.answer_time_max=200ms"]).await;
    let who = rig.admin().await;
    let response = rig.request(Method::GET, &format!("{TRACES}/api/services"), &who).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let read = tokio::time::timeout(DEADLINE, response.bytes()).await.expect("it is broken off");
    assert!(read.is_err(), "a cut answer must not look complete");
    tasks.cancel();
    rig.stop().await;
}
