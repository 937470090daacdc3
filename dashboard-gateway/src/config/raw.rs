//! The configuration as written.
//!
//! Knows: keys and defaults (`docs/config.md` lists them). Must not know: which combinations make sense: see `check`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use runtime_service::Secret;
use runtime_service::config::{Period, Size};
use serde::{Deserialize, Serialize};

use super::check::Origin;
use super::{Administrator, Auth, Config, Mode, Proxy, Server};

/// The file `dashboard-gateway.yaml`; every key may be left out.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    port: u16,
    admin_port: u16,
    pub(super) mode: Mode,
    pub(super) server: RawServer,
    pub(super) admin: RawAdmin,
    pub(super) auth: RawAuth,
    pub(super) upstreams: RawUpstreams,
    pub(super) proxy: RawProxy,
}

/// `server:`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawServer {
    pub(super) url_prefix: String,
    pub(super) root_url: Option<String>,
    pub(super) trusted_proxies: Vec<String>,
}

/// `admin:`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAdmin {
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) password_file: Option<PathBuf>,
}

/// `auth:`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAuth {
    pub(super) anonymous_viewer: bool,
    pub(super) session_idle: Period,
    pub(super) session_age_max: Period,
    pub(super) password_workers: u32,
}

/// `upstreams:`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawUpstreams {
    pub(super) traces: Option<String>,
    pub(super) metrics: Option<String>,
}

/// `proxy:`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawProxy {
    pub(super) timeout: Period,
    pub(super) answer_time_max: Period,
    pub(super) body_bytes_max: Size,
    pub(super) requests_max: u32,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            port: 3001,
            admin_port: 8082,
            mode: Mode::default(),
            server: RawServer::default(),
            admin: RawAdmin::default(),
            auth: RawAuth::default(),
            upstreams: RawUpstreams::default(),
            proxy: RawProxy::default(),
        }
    }
}

impl Default for RawServer {
    fn default() -> Self {
        Self { url_prefix: "/".to_owned(), root_url: None, trusted_proxies: Vec::new() }
    }
}

impl Default for RawAdmin {
    fn default() -> Self {
        Self { user: "admin".to_owned(), password: None, password_file: None }
    }
}

impl Default for RawAuth {
    fn default() -> Self {
        Self {
            anonymous_viewer: false,
            session_idle: Period(Duration::from_secs(12 * 3600)),
            session_age_max: Period(Duration::from_secs(7 * 24 * 3600)),
            password_workers: 2,
        }
    }
}

impl Default for RawProxy {
    fn default() -> Self {
        Self {
            timeout: Period(Duration::from_secs(60)),
            answer_time_max: Period(Duration::from_secs(300)),
            // a trace that is uploaded is as large as one that is sent
            body_bytes_max: Size(16 << 20),
            requests_max: 256,
        }
    }
}

impl Raw {
    /// After [`Raw::check`] found nothing wrong.
    pub(super) fn into_config(self, origin: Origin, password: Option<Secret>, shown: String) -> Config {
        let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let proxies = self.server.trusted_proxies.iter();
        let trusted_proxies = proxies.filter_map(|p| p.parse::<IpAddr>().ok()).collect();
        let url_prefix = origin.prefix.unwrap_or_else(|| "/".to_owned());
        Config {
            port: self.port,
            admin_port: self.admin_port,
            mode: self.mode,
            server: Server { url_prefix, origin: origin.origin, tls: origin.tls, trusted_proxies },
            admin: Administrator { user: self.admin.user.to_lowercase(), password },
            auth: Auth {
                anonymous_viewer: self.auth.anonymous_viewer,
                session_idle: self.auth.session_idle.0,
                session_age_max: self.auth.session_age_max.0,
                password_workers: count(self.auth.password_workers),
            },
            traces: self.upstreams.traces,
            metrics: self.upstreams.metrics,
            proxy: Proxy {
                timeout: self.proxy.timeout.0,
                answer_time_max: self.proxy.answer_time_max.0,
                body_bytes_max: self.proxy.body_bytes_max.0,
                requests_max: count(self.proxy.requests_max),
            },
            shown,
        }
    }
}
