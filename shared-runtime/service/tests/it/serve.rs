//! Connections: graceful stop, slow peers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use runtime_service::serve::{Limits, Server};
use runtime_service::{Context, Tasks, bind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

const DEADLINE: Duration = Duration::from_secs(10);

async fn start(router: Router, limits: Limits) -> Server {
    let ctx = Context::ephemeral("unused");
    let tasks = Tasks::new(ctx.shutdown.clone());
    let listeners = bind::listen(&ctx, "test", 1).await.unwrap();
    Server::start(&tasks, "test", listeners, router, limits)
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    tokio::time::timeout(DEADLINE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

#[tokio::test]
async fn stop_lets_a_request_under_way_finish_and_refuses_new_connections() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (e, r) = (Arc::clone(&entered), Arc::clone(&release));
    let slow = get(|| async move {
        e.notify_one();
        r.notified().await;
        "done"
    });
    let server = start(Router::new().route("/", slow), Limits::default()).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    let stopping = server.stop();
    let (text, ()) = tokio::join!(
        async {
            release.notify_one();
            read_all(stream).await
        },
        stopping
    );
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("done"), "{text}");
    assert!(TcpStream::connect(server.addr()).await.is_err());
}

#[tokio::test]
async fn idle_connections_do_not_hold_a_stop_up() {
    let server = start(Router::new(), Limits::default()).await;
    let idle = TcpStream::connect(server.addr()).await.unwrap();
    let mut used = TcpStream::connect(server.addr()).await.unwrap();
    used.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    used.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 404");
    tokio::time::timeout(DEADLINE, server.stop()).await.unwrap();
    assert!(read_all(idle).await.is_empty());
}

#[tokio::test]
async fn a_header_that_never_ends_closes_the_connection() {
    let limits = Limits { header_timeout: Duration::from_millis(100), ..Limits::default() };
    let server = start(Router::new(), limits).await;
    let mut slow = TcpStream::connect(server.addr()).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    read_all(slow).await;
    let silent = TcpStream::connect(server.addr()).await.unwrap();
    read_all(silent).await;
}
