//! Serving HTTP/1.1, HTTP/2 and gRPC on bound listeners, with limits and a graceful stop.
//!
//! Knows: connections. Must not know: routes. Start at [`Server::start`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::{Listeners, Tasks};

/// Bounds of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections beyond this wait in the kernel's queue.
    pub connections_max: usize,
    /// HTTP/2 requests of one connection at once.
    pub streams_max: u32,
    /// A request's header, and the first request of a connection, must have arrived within this (slow-loris).
    pub header_timeout: Duration,
    /// HTTP/2 connections are asked to reconnect after this, spread by up to a tenth, so that load balancers
    /// can move them; `None` keeps them.
    pub connection_age_max: Option<Duration>,
    /// HTTP/2 flow-control window of a stream.
    pub stream_window_bytes: u32,
    /// HTTP/2 flow-control window of a connection.
    pub connection_window_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            streams_max: 256,
            header_timeout: Duration::from_secs(10),
            connection_age_max: None,
            stream_window_bytes: 2 << 20,
            connection_window_bytes: 8 << 20,
        }
    }
}

/// A running server.
#[derive(Debug, Clone)]
pub struct Server {
    addr: SocketAddr,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl Server {
    /// Serves `router` on `listeners` until [`Server::stop`].
    #[must_use]
    pub fn start(
        tasks: &Tasks,
        name: &'static str,
        listeners: Listeners,
        router: Router,
        limits: Limits,
    ) -> Self {
        let server =
            Self { addr: listeners.addr(), stop: CancellationToken::new(), connections: TaskTracker::new() };
        let permits = Arc::new(Semaphore::new(limits.connections_max));
        let builder = Arc::new(protocol(&limits));
        for socket in listeners.sockets {
            let acceptor = Acceptor {
                name,
                socket,
                router: router.clone(),
                builder: Arc::clone(&builder),
                permits: Arc::clone(&permits),
                age_max: limits.connection_age_max,
                header_timeout: limits.header_timeout,
                server: server.clone(),
                tasks: tasks.clone(),
            };
            let stop = server.stop.clone();
            tasks.spawn(
                name,
                server.connections.track_future(async move {
                    tokio::select! {
                        () = acceptor.run() => {}
                        () = stop.cancelled() => {}
                    }
                }),
            );
        }
        server
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections that are open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Stops accepting, lets requests under way finish, ends when the last connection has closed.
    #[must_use]
    pub fn stop(&self) -> BoxFuture<'static, ()> {
        let (stop, connections) = (self.stop.clone(), self.connections.clone());
        Box::pin(async move {
            stop.cancel();
            connections.close();
            connections.wait().await;
        })
    }
}

fn protocol(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        .max_header_list_size(32 << 10)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

struct Acceptor {
    name: &'static str,
    socket: TcpListener,
    router: Router,
    builder: Arc<auto::Builder<TokioExecutor>>,
    permits: Arc<Semaphore>,
    age_max: Option<Duration>,
    header_timeout: Duration,
    server: Server,
    tasks: Tasks,
}

impl Acceptor {
    async fn run(self) {
        loop {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    let connection = self.connection(stream, peer);
                    self.tasks.spawn(
                        "connection",
                        self.server.connections.track_future(async move {
                            connection.await;
                            drop(permit);
                        }),
                    );
                }
                Err(error) => {
                    tracing::warn!(server = self.name, %error, "accept failed, pausing for 100 ms");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn connection(&self, stream: TcpStream, peer: SocketAddr) -> impl Future<Output = ()> + Send + 'static {
        let (router, builder) = (self.router.clone(), Arc::clone(&self.builder));
        let (stop, name, header_timeout) = (self.server.stop.clone(), self.name, self.header_timeout);
        let age_max = self.age_max.map(|age| age + age * u32::from(peer.port() % 100) / 1000);
        async move {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(server = name, %peer, %error, "TCP_NODELAY failed");
            }
            let used = Arc::new(AtomicBool::new(false));
            let first = Arc::clone(&used);
            let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                first.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(ConnectInfo(peer));
                Service::call(&mut router.clone(), request)
            });
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            // hyper's own header timeout starts only once it knows the protocol
            let silent = async {
                tokio::time::sleep(header_timeout).await;
                if used.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
            };
            let aged = async {
                match age_max {
                    Some(age) => tokio::time::sleep(age).await,
                    None => std::future::pending().await,
                }
            };
            let outcome = tokio::select! {
                outcome = connection.as_mut() => Some(outcome),
                () = stop.cancelled() => None,
                () = aged => None,
                () = silent => None,
            };
            let outcome = match outcome {
                Some(outcome) => outcome,
                None => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                tracing::debug!(server = name, %peer, error, "connection ended");
            }
        }
    }
}
