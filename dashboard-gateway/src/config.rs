//! Configuration of dashboard-gateway: as written, and as validated.
//!
//! Knows: keys, defaults, bounds, where the administrator's password may come from. Must not know: what is done with
//! them. Start at [`Config`].

mod check;
mod raw;

use std::net::IpAddr;
use std::time::Duration;

use runtime_service::config::{self, ConfigErrors, Sources};
use runtime_service::{Args, Secret};

use check::{Origin, Password};
use raw::Raw;

/// Name of the service, of its folder, and of its `YC_DASHBOARD_GATEWAY_…` variables.
pub(crate) const SERVICE: &str = "dashboard-gateway";

/// Validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The web app and its API. 3001.
    pub port: u16,
    /// Admin endpoints. 8082.
    pub admin_port: u16,
    /// Whether the well-known password may be used.
    pub mode: Mode,
    /// How browsers reach it.
    pub server: Server,
    /// The first administrator.
    pub admin: Administrator,
    /// Sessions and logins.
    pub auth: Auth,
    /// `host:port` of query-api's Jaeger API; `None` means the one of this stack (16686 plus the port offset).
    pub traces: Option<String>,
    /// `host:port` of query-api's Prometheus API; `None` means the one of this stack (9090 plus the port offset).
    pub metrics: Option<String>,
    /// Bounds of proxied requests.
    pub proxy: Proxy,
    /// The effective configuration as YAML, secrets redacted.
    pub shown: String,
}

/// What the process is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One machine, trying things: admin/admin works, and the screen says so.
    #[default]
    Development,
    /// Refuses to start while the administrator's password is the one that everybody knows.
    Production,
}

/// How browsers reach it.
#[derive(Debug, Clone)]
pub struct Server {
    /// Begins and ends with `/`.
    pub url_prefix: String,
    /// Scheme and host of the public URL, when it was given.
    pub origin: Option<String>,
    /// The public URL is `https`: cookies are `Secure` and `__Host-`, HSTS is sent.
    pub tls: bool,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// The first administrator.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// Login name.
    pub user: String,
    /// Initial password, when one was given.
    pub password: Option<Secret>,
}

/// Sessions and logins.
#[derive(Debug, Clone, Copy)]
pub struct Auth {
    /// Whoever is not logged in may look, but not change anything.
    pub anonymous_viewer: bool,
    /// A session ends after this without a request.
    pub session_idle: Duration,
    /// A session ends after this in any case.
    pub session_age_max: Duration,
    /// Password checks at once; each holds 19 MiB and a core.
    pub password_workers: usize,
}

/// Bounds of proxied requests.
#[derive(Debug, Clone, Copy)]
pub struct Proxy {
    /// Until the head of the answer is there.
    pub timeout: Duration,
    /// Until the last byte of the answer is there.
    pub answer_time_max: Duration,
    /// Largest request body.
    pub body_bytes_max: u64,
    /// Requests at once; more are refused with a retry hint.
    pub requests_max: usize,
}

impl Default for Config {
    /// A single machine with no file at all.
    fn default() -> Self {
        let raw = Raw::default();
        let shown = config::redacted(&raw);
        raw.into_config(Origin::default(), None, shown)
    }
}

impl Config {
    /// Defaults, files, environment (`YC_DASHBOARD_GATEWAY_…`) and flags, validated.
    ///
    /// # Errors
    /// Everything that is wrong, together.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let (sources, password) = Password::take(sources);
        let raw: Raw = config::load(&sources)?;
        let mut errors = ConfigErrors::default();
        let origin = raw.check(&mut errors);
        let password = password.resolve(&raw, &mut errors);
        errors.into_result()?;
        let shown = config::redacted(&raw);
        Ok(raw.into_config(origin, password, shown))
    }

    /// `sources` with the flags that are short for a key of ours: they beat the environment, and a `--set` of the same
    /// key beats them.
    #[must_use]
    pub fn with_flags(mut sources: Sources, args: &Args) -> Sources {
        if let Some(prefix) = &args.url_prefix {
            sources.sets.insert(0, format!("server.url_prefix={prefix}"));
        }
        sources
    }
}

#[cfg(test)]
mod tests;
