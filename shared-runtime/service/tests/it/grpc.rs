//! The same calls over a socket and inside the process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use runtime_service::grpc::{self, RawUnary};
use runtime_service::{Budget, Context, Kind, Status, Tasks, connect};
use tokio::sync::Notify;
use tonic::Code;
use tonic::codec::CompressionEncoding::{Gzip, Zstd};

use crate::echo::{LIMIT, PATH, Raw, call, routes, server};

#[tokio::test]
async fn local_and_remote_channels_behave_alike() {
    let ctx = Context::ephemeral("unused");
    let tasks = Tasks::new(ctx.shutdown.clone());
    let server = server(&ctx, &tasks).await;
    ctx.inproc.register("127.0.0.1:1", routes());
    let remote = connect(&ctx, &server.addr().to_string()).unwrap();
    let local = connect(&ctx, "http://localhost:1").unwrap();
    assert_eq!(
        (format!("{remote:?}"), format!("{local:?}")),
        ("Channel::Remote".into(), "Channel::Local".into())
    );
    for channel in [remote, local] {
        for encoding in [None, Some(Gzip), Some(Zstd)] {
            let answer = call(channel.clone(), PATH, Bytes::from_static(b"hello"), encoding).await.unwrap();
            assert_eq!(answer.metadata().get("x-yc-position").unwrap(), "toy/0@1");
            assert_eq!(answer.into_inner(), "hello");
        }
        let check = async |message: Bytes, encoding, code: Code, kind: Kind| {
            let status = call(channel.clone(), PATH, message, encoding).await.unwrap_err();
            assert_eq!((status.code(), Status::from_grpc(&status).kind), (code, kind), "{status}");
        };
        check(Bytes::from(vec![1; LIMIT + 1]), None, Code::ResourceExhausted, Kind::TooLarge).await;
        check(Bytes::from(vec![0; 100 * LIMIT]), Some(Gzip), Code::ResourceExhausted, Kind::TooLarge).await;
        check(Bytes::from(vec![0; 100 * LIMIT]), Some(Zstd), Code::ResourceExhausted, Kind::TooLarge).await;
        check(Bytes::from_static(b"busy"), None, Code::Unavailable, Kind::Unavailable).await;
        check(Bytes::from_static(b"range"), None, Code::OutOfRange, Kind::Unavailable).await;
        let status = call(channel.clone(), PATH, Bytes::from_static(b"busy"), None).await.unwrap_err();
        assert_eq!(Status::from_grpc(&status).retry_after, Some(Duration::from_secs(1)));
        let status = call(channel, "/toy.v1.Echo/Shout", Bytes::new(), None).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
    }
}

#[tokio::test]
async fn an_absent_peer_is_unavailable_until_it_is_there() {
    let ctx = Context::ephemeral("unused");
    let tasks = Tasks::new(ctx.shutdown.clone());
    // held on one loopback address, so nobody else is handed the same port while the peer is away
    let held = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = format!("127.0.0.2:{}", held.local_addr().unwrap().port());
    let channel = connect(&ctx, &addr).unwrap();
    let status = call(channel.clone(), PATH, Bytes::new(), None).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let listener = tokio::net::TcpListener::bind(addr).await.unwrap();
    tasks.spawn("second", async move {
        axum::serve(listener, routes()).await.unwrap();
    });
    assert_eq!(call(channel, PATH, Bytes::from_static(b"x"), None).await.unwrap().into_inner(), "x");
}

#[tokio::test]
async fn bodies_over_the_budget_are_refused_with_a_hint_until_others_are_answered() {
    let (entered, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (e, g) = (Arc::clone(&entered), Arc::clone(&gate));
    let budget = Budget::new("intake", 3000);
    let slow = RawUnary::new(Raw, LIMIT, move |request| {
        let (e, g) = (Arc::clone(&e), Arc::clone(&g));
        Box::pin(async move {
            e.notify_one();
            g.notified().await;
            Ok(tonic::Response::new(request.into_inner()))
        })
    });
    let ctx = Context::ephemeral("unused");
    ctx.inproc.register("127.0.0.1:1", grpc::router().route_service(PATH, slow.within(budget.clone())));
    let channel = connect(&ctx, "127.0.0.1:1").unwrap();
    let body = Bytes::from(vec![1; 2000]);
    let second = async {
        entered.notified().await;
        let refused = call(channel.clone(), PATH, body.clone(), None).await.unwrap_err();
        gate.notify_one();
        refused
    };
    let (first, refused) = tokio::join!(call(channel.clone(), PATH, body.clone(), None), second);
    assert_eq!(first.unwrap().into_inner(), body);
    assert_eq!(Status::from_grpc(&refused).retry_after, Some(Duration::from_secs(1)), "{refused}");
    assert_eq!(budget.used(), 0);
}

#[test]
fn unusable_endpoints_are_named() {
    let ctx = Context::new("unused");
    let check = |endpoint: &str, expect: &str| {
        assert_eq!(connect(&ctx, endpoint).unwrap_err().to_string(), expect);
    };
    check(
        "https://a:1",
        "endpoint `https://a:1` asks for TLS, which is not available between services: use `http://`",
    );
    check("a b", "endpoint `a b` is not usable: expected `host:port` or `http://host:port`");
}
