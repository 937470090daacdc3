//! `host:port` of a listening endpoint, and how it is bound.
//!
//! Knows: that `localhost` (also by default) means "where this process listens" (`--listen`), that the port offset
//! shifts every listening endpoint. Must not know: what is served. Start at [`bind`].

use std::net::{IpAddr, Ipv6Addr};

use runtime_service::{Context, Listen, Listeners};

/// A parsed endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Endpoint {
    /// Parses `host:port`, `[::1]:port`, `:port`; an empty port is any free one, as the reference has it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("unix:") || text.starts_with('/') {
            return Err(format!("endpoint {text:?} is a unix socket, which is not available: use host:port"));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(format!("endpoint {text:?} has no port: expected host:port"));
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if port.is_empty() {
            return Ok(Endpoint { host: host.to_owned(), port: 0 });
        }
        let port =
            port.parse().map_err(|_not_a_port| format!("endpoint {text:?} has a bad port {port:?}"))?;
        Ok(Endpoint { host: host.to_owned(), port })
    }
}

/// Binds `endpoint`; `what` names the purpose in errors.
pub(crate) async fn bind(ctx: &Context, what: &str, endpoint: &Endpoint) -> anyhow::Result<Listeners> {
    let mut ctx = ctx.clone();
    if ctx.listen != Listen::Ephemeral {
        match endpoint.host.as_str() {
            "localhost" => {}
            "" => ctx.listen = Listen::Addresses(vec![Ipv6Addr::UNSPECIFIED.into()]),
            host => ctx.listen = Listen::Addresses(resolve(what, host).await?),
        }
        if endpoint.port == 0 {
            ctx.port_offset = 0;
        }
    }
    Ok(runtime_service::bind::listen(&ctx, what, endpoint.port).await?)
}

async fn resolve(what: &str, host: &str) -> anyhow::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let found: Vec<IpAddr> = match tokio::net::lookup_host((host, 0)).await {
        Ok(addresses) => addresses.map(|address| address.ip()).collect(),
        Err(error) => anyhow::bail!("cannot resolve host {host:?} of the endpoint for {what}: {error}"),
    };
    if found.is_empty() {
        anyhow::bail!("host {host:?} of the endpoint for {what} has no address");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn endpoints_are_parsed_or_named() {
        let check = |text: &str, expect: Result<(&str, u16), &str>| {
            let got = Endpoint::parse(text);
            let expect =
                expect.map(|(host, port)| Endpoint { host: host.to_owned(), port }).map_err(str::to_owned);
            assert_eq!(got, expect, "{text}");
        };
        check("localhost:4317", Ok(("localhost", 4317)));
        check("0.0.0.0:4318", Ok(("0.0.0.0", 4318)));
        check("[::]:4318", Ok(("::", 4318)));
        check(":", Ok(("", 0)));
        check("host", Err("endpoint \"host\" has no port: expected host:port"));
        check("host:99999", Err("endpoint \"host:99999\" has a bad port \"99999\""));
    }
}
