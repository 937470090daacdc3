//! Ports: both loopback addresses, taken ones named.

use std::net::{IpAddr, Ipv4Addr};

use runtime_service::bind::{BindError, listen};
use runtime_service::{Context, Listen};

#[tokio::test]
async fn loopback_means_both_addresses_of_one_port() {
    let ctx = Context::ephemeral("unused");
    let listeners = listen(&ctx, "test", 1).await.unwrap();
    assert!(listeners.port() > 0);
    assert!(listeners.addrs().iter().all(|a| a.port() == listeners.port() && a.ip().is_loopback()));
    assert_eq!(listeners.addrs().first().unwrap().ip(), Ipv4Addr::LOCALHOST);
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    assert_eq!(listeners.addrs().len(), if has_ipv6 { 2 } else { 1 });
}

#[tokio::test]
async fn a_taken_port_is_named_with_what_to_do() {
    let taken = listen(&Context::ephemeral("unused"), "test", 1).await.unwrap();
    let offset = taken.port() - 1000;
    let ctx = Context { port_offset: offset, ..Context::new("unused") };
    let error = listen(&ctx, "OTLP gRPC", 1000).await.unwrap_err();
    assert!(matches!(error, BindError::Taken { port, .. } if port == taken.port()));
    let expect = format!(
        "port {} (OTLP gRPC) on 127.0.0.1 is taken: stop the process that listens there, or shift all ports of this \
         stack, for example with `--port-offset {}`",
        taken.port(),
        offset.saturating_add(100)
    );
    assert_eq!(error.to_string(), expect);
}

#[tokio::test]
async fn impossible_listeners_are_named() {
    let mut ctx = Context { port_offset: 60_000, ..Context::new("unused") };
    let error = listen(&ctx, "admin", 17_282).await.unwrap_err().to_string();
    assert_eq!(error, "port 17282 (admin) shifted by `--port-offset 60000` is beyond 65535");
    ctx.port_offset = 0;
    ctx.listen = Listen::Addresses(vec![IpAddr::from([192, 0, 2, 1])]);
    let error = listen(&ctx, "admin", 17_282).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot listen on 192.0.2.1 port 17282 (admin): "), "{error}");
}

#[tokio::test]
async fn every_address_of_the_machine_can_be_asked_for() {
    let free = listen(&Context::ephemeral("unused"), "test", 1).await.unwrap().port();
    let ctx = Context { listen: "[::]".parse().unwrap(), port_offset: free - 1, ..Context::new("unused") };
    let listeners = listen(&ctx, "test", 1).await.unwrap();
    assert_eq!(listeners.port(), free);
    tokio::net::TcpStream::connect(("127.0.0.1", free)).await.unwrap();
}
