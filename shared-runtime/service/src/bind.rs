//! Listening sockets: dual-stack loopback by default, and errors that say what to do.
//!
//! Knows: addresses and ports. Must not know: what is served. Start at [`listen`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;

use crate::{Context, Listen};

/// How often a free IPv4 port whose IPv6 twin is taken is given back.
const EPHEMERAL_TRIES_MAX: u32 = 32;

/// Bound sockets of one port.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) sockets: Vec<TcpListener>,
    port: u16,
    host: IpAddr,
}

impl Listeners {
    /// The port that was bound (never 0).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An address by which this process and its neighbours on the machine reach it.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        let host = if self.host.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { self.host };
        SocketAddr::new(host, self.port)
    }

    /// All bound addresses.
    #[must_use]
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|s| s.local_addr().ok()).collect()
    }
}

/// Why a port could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else has it.
    #[error(
        "port {port} ({what}) on {address} is taken: stop the process that listens there, or shift all ports of this \
         stack, for example with `--port-offset {hint}`"
    )]
    Taken {
        /// What would have been served.
        what: String,
        /// The taken port, offset included.
        port: u16,
        /// The address on which it is taken.
        address: IpAddr,
        /// An offset to try.
        hint: u16,
    },
    /// The shifted port does not exist.
    #[error("port {port} ({what}) shifted by `--port-offset {offset}` is beyond 65535")]
    Beyond {
        /// What would have been served.
        what: String,
        /// The port before the shift.
        port: u16,
        /// The shift.
        offset: u16,
    },
    /// Anything else, such as an address that this machine does not have.
    #[error("cannot listen on {address} port {port} ({what}): {source}")]
    Io {
        /// What would have been served.
        what: String,
        /// The port, offset included.
        port: u16,
        /// The address.
        address: IpAddr,
        /// The system's words.
        source: io::Error,
    },
}

/// Binds `port` (plus the context's offset) on the context's addresses; `what` names the purpose in errors. A machine
/// without IPv6 goes on with IPv4 alone and says so.
pub fn listen<'a>(ctx: &'a Context, what: &'a str, port: u16) -> BoxFuture<'a, Result<Listeners, BindError>> {
    Box::pin(async move {
        if ctx.listen == Listen::Ephemeral {
            return ephemeral(ctx, what).await;
        }
        let shifted = port.checked_add(ctx.port_offset).ok_or_else(|| BindError::Beyond {
            what: what.to_owned(),
            port,
            offset: ctx.port_offset,
        })?;
        bind_all(ctx, what, shifted).await
    })
}

async fn ephemeral(ctx: &Context, what: &str) -> Result<Listeners, BindError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_all(ctx, what, 0).await {
            Err(BindError::Taken { .. }) if tries < EPHEMERAL_TRIES_MAX => {}
            outcome => return outcome,
        }
    }
}

async fn bind_all(ctx: &Context, what: &str, port: u16) -> Result<Listeners, BindError> {
    let mut sockets = Vec::new();
    let mut bound: Option<(IpAddr, u16)> = None;
    for address in ctx.listen.addresses() {
        let wanted = bound.map_or(port, |(_, p)| p);
        match TcpListener::bind(SocketAddr::new(address, wanted)).await {
            Ok(socket) => {
                let got = socket.local_addr().map_or(wanted, |a| a.port());
                bound.get_or_insert((address, got));
                sockets.push(socket);
            }
            Err(e) if is_no_ipv6(address, &e) => {
                let fallback = if sockets.is_empty() && address.is_unspecified() {
                    Some(IpAddr::from(Ipv4Addr::UNSPECIFIED))
                } else {
                    None
                };
                tracing::warn!(%address, port = wanted, what, "IPv6 is not available here, going on with IPv4");
                if let Some(v4) = fallback {
                    let socket = TcpListener::bind(SocketAddr::new(v4, wanted))
                        .await
                        .map_err(|e| describe(ctx, what, v4, wanted, e))?;
                    let got = socket.local_addr().map_or(wanted, |a| a.port());
                    bound.get_or_insert((v4, got));
                    sockets.push(socket);
                }
            }
            Err(e) => return Err(describe(ctx, what, address, wanted, e)),
        }
    }
    match bound {
        Some((host, port)) => Ok(Listeners { sockets, port, host }),
        None => Err(BindError::Io {
            what: what.to_owned(),
            port,
            address: Ipv4Addr::LOCALHOST.into(),
            source: io::Error::new(io::ErrorKind::AddrNotAvailable, "no address is usable"),
        }),
    }
}

fn is_no_ipv6(address: IpAddr, e: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    address.is_ipv6()
        && (e.kind() == io::ErrorKind::AddrNotAvailable || e.raw_os_error() == Some(EAFNOSUPPORT))
}

fn describe(ctx: &Context, what: &str, address: IpAddr, port: u16, source: io::Error) -> BindError {
    let what = what.to_owned();
    if source.kind() == io::ErrorKind::AddrInUse {
        return BindError::Taken { what, port, address, hint: ctx.port_offset.saturating_add(100) };
    }
    BindError::Io { what, port, address, source }
}
