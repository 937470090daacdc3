//! What the process hands to each service's `build`: where to listen, where to keep data, how to reach neighbours.
//!
//! Knows: addresses and the port shift. Must not know: which service is being built. Start at [`Context`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Inproc, Shutdown};

/// Surroundings of a service, the same for all services of a process.
#[derive(Debug, Clone)]
pub struct Context {
    /// Which addresses listeners bind.
    pub listen: Listen,
    /// Added to every port of the stack, so that several stacks run side by side.
    pub port_offset: u16,
    /// Root of everything kept on disk; each service takes a folder of its own in it.
    pub data_dir: PathBuf,
    /// gRPC services of this process, reached without sockets.
    pub inproc: Inproc,
    /// Says when to drain.
    pub shutdown: Shutdown,
}

impl Context {
    /// Loopback, no shift, an empty registry.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: Listen::Loopback,
            port_offset: 0,
            data_dir: data_dir.into(),
            inproc: Inproc::default(),
            shutdown: Shutdown::default(),
        }
    }

    /// Like [`Context::new`], but every listener takes any free loopback port: for tests.
    pub fn ephemeral(data_dir: impl Into<PathBuf>) -> Self {
        Self { listen: Listen::Ephemeral, ..Self::new(data_dir) }
    }

    /// `127.0.0.1:<port + offset>`: where a neighbour of the same stack listens by default, and the name under which
    /// a service registers itself in [`Inproc`].
    #[must_use]
    pub fn local_endpoint(&self, port: u16) -> String {
        format!("127.0.0.1:{}", u32::from(port) + u32::from(self.port_offset))
    }
}

/// Which addresses listeners bind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Listen {
    /// `127.0.0.1` and `::1`.
    #[default]
    Loopback,
    /// Exactly these.
    Addresses(Vec<IpAddr>),
    /// Any free port of the loopback addresses, whatever port was asked for.
    Ephemeral,
}

impl Listen {
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        match self {
            Self::Loopback | Self::Ephemeral => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Self::Addresses(list) => list.clone(),
        }
    }
}

/// A `--listen` value that is no address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an IP address: expected for example `127.0.0.1`, `0.0.0.0` or `[::]`")]
pub struct ListenError(String);

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let one = |part: &str| {
            let bare = part.trim();
            let bare = bare.strip_prefix('[').and_then(|p| p.strip_suffix(']')).unwrap_or(bare);
            match bare {
                "localhost" => Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
                _ => {
                    IpAddr::from_str(bare).map(|a| vec![a]).map_err(|_not_an_ip| ListenError(part.to_owned()))
                }
            }
        };
        let parts: Result<Vec<_>, _> = text.split(',').map(one).collect();
        Ok(Self::Addresses(parts?.concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_values_are_parsed_or_named() {
        let check = |text: &str, expect: &str| match text.parse::<Listen>() {
            Ok(listen) => assert_eq!(format!("{:?}", listen.addresses()), expect, "{text}"),
            Err(e) => assert_eq!(e.to_string(), expect, "{text}"),
        };
        check("[::]", "[::]");
        check("0.0.0.0", "[0.0.0.0]");
        check("localhost", "[127.0.0.1, ::1]");
        check("10.0.0.1, ::1", "[10.0.0.1, ::1]");
        check("here", "`here` is not an IP address: expected for example `127.0.0.1`, `0.0.0.0` or `[::]`");
    }

    #[test]
    fn a_local_endpoint_follows_the_port_offset() {
        let mut ctx = Context::new("data");
        assert_eq!(ctx.local_endpoint(17281), "127.0.0.1:17281");
        ctx.port_offset = 100;
        assert_eq!(ctx.local_endpoint(17281), "127.0.0.1:17381");
    }
}
