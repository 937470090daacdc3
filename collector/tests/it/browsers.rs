//! What a browser's page meets: preflight, and readable answers of every kind.

use crate::rig::{NextHop, Rig, spans};
use crate::wire::http;

const ORIGIN: (&str, &str) = ("origin", "http://localhost:5173");

#[tokio::test]
async fn a_preflight_is_answered_before_anything_else() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let asked = [
        ORIGIN,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,traceparent"),
    ];
    for path in ["/v1/traces", "/v1/metrics", "/anything"] {
        let answer = http(&rig.http, "OPTIONS", path, &asked, b"").await;
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:5173");
        assert_eq!(answer.header("access-control-allow-methods"), "POST");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert_eq!(answer.header("access-control-max-age"), "7200");
        let headers = answer.header("access-control-allow-headers");
        assert!(headers.contains("content-type") && headers.contains("traceparent"), "{headers}");
    }
    let stranger = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    let answer = http(&rig.http, "OPTIONS", "/v1/traces", &stranger, b"").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, ""));
    rig.drain().await;
}

#[tokio::test]
async fn success_and_errors_can_be_read_by_the_page() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let protobuf = ("content-type", "application/x-protobuf");
    let body = spans(&["x"]);
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [u8], u16);
    let rows: [Row<'_>; 5] = [
        ("POST", "/v1/traces", &[ORIGIN, protobuf], &body, 200),
        ("POST", "/v1/traces", &[ORIGIN, protobuf], b"\xff", 400),
        ("POST", "/v1/metrics", &[ORIGIN, protobuf], &body, 404),
        ("GET", "/v1/traces", &[ORIGIN], b"", 405),
        ("POST", "/v1/traces", &[ORIGIN], &body, 415),
    ];
    for (method, path, headers, body, status) in rows {
        let answer = http(&rig.http, method, path, headers, body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:5173", "{status}");
        assert!(answer.header("access-control-expose-headers").contains("retry-after"), "{status}");
        assert_eq!(answer.header("vary"), "origin");
    }
    let stranger =
        http(&rig.http, "POST", "/v1/traces", &[protobuf, ("origin", "https://evil.example")], &body).await;
    assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (200, ""));
    rig.drain().await;
}
