//! What no single key's type can say, and where the administrator's password comes from.
//!
//! Knows: URLs, prefixes, the well-known password, the variables that Grafana users already set. Must not know: what
//! is done with them. Start at [`Raw::check`].

use std::net::IpAddr;
use std::path::Path;

use http::Uri;
use runtime_service::Secret;
use runtime_service::config::{ConfigError, ConfigErrors, Sources};

use super::raw::Raw;
use super::{Mode, SERVICE};
use crate::users::{DEFAULT_PASSWORD, check_login, check_password};

/// Read besides `YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD[_FILE]`, which win.
const GRAFANA_PASSWORD: &str = "GF_SECURITY_ADMIN_PASSWORD";
const GRAFANA_PASSWORD_FILE: &str = "GF_SECURITY_ADMIN_PASSWORD__FILE";
const PASSWORD: &str = "YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD";

/// What the public URL says.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// `https://host[:port]`.
    pub(super) origin: Option<String>,
    pub(super) tls: bool,
    /// Begins and ends with `/`.
    pub(super) prefix: Option<String>,
}

fn refuse(errors: &mut ConfigErrors, key: &str, message: impl Into<String>) {
    let (file, key, message) = (SERVICE.to_owned(), key.to_owned(), message.into());
    errors.push(ConfigError { file, line: 0, key, message });
}

impl Raw {
    /// Notes all that is wrong, and gives what the public URL says.
    pub(super) fn check(&self, errors: &mut ConfigErrors) -> Origin {
        let mut origin = self.origin(errors);
        match prefix(&self.server.url_prefix) {
            Some(prefix) if prefix != "/" || origin.prefix.is_none() => origin.prefix = Some(prefix),
            Some(_) => {}
            None => {
                let message =
                    "expected an absolute path such as `/obs`: letters, digits, `-`, `_`, `.` and `/`";
                refuse(errors, "server.url_prefix", message);
            }
        }
        for text in self.server.trusted_proxies.iter().filter(|text| text.parse::<IpAddr>().is_err()) {
            refuse(errors, "server.trusted_proxies", format!("`{text}` is not an IP address"));
        }
        if let Err(wrong) = check_login(&self.admin.user.to_lowercase()) {
            refuse(errors, "admin.user", wrong);
        }
        for (key, endpoint) in
            [("upstreams.traces", &self.upstreams.traces), ("upstreams.metrics", &self.upstreams.metrics)]
        {
            if endpoint.as_ref().is_some_and(|e| !is_authority(e)) {
                refuse(errors, key, "expected `host:port`");
            }
        }
        for (key, zero) in [
            ("auth.session_idle", self.auth.session_idle.0.is_zero()),
            ("auth.session_age_max", self.auth.session_age_max.0.is_zero()),
            ("auth.password_workers", self.auth.password_workers == 0),
            ("proxy.timeout", self.proxy.timeout.0.is_zero()),
            ("proxy.answer_time_max", self.proxy.answer_time_max.0.is_zero()),
            ("proxy.body_bytes_max", self.proxy.body_bytes_max.0 == 0),
            ("proxy.requests_max", self.proxy.requests_max == 0),
        ] {
            if zero {
                refuse(errors, key, "must be greater than 0");
            }
        }
        origin
    }

    fn origin(&self, errors: &mut ConfigErrors) -> Origin {
        let Some(url) = &self.server.root_url else { return Origin::default() };
        let parsed = url.parse::<Uri>().ok().and_then(|uri| {
            let scheme = uri.scheme_str().filter(|s| ["http", "https"].contains(s))?;
            let authority = uri.authority().filter(|a| !a.as_str().contains('@'))?;
            let origin = format!("{scheme}://{}", authority.as_str().to_lowercase());
            let path = prefix(uri.path())?;
            let prefix = (path != "/").then_some(path);
            uri.query().is_none().then_some(Origin { origin: Some(origin), tls: scheme == "https", prefix })
        });
        parsed.unwrap_or_else(|| {
            let message = format!("`{url}` is not a URL such as `https://obs.example.com/grafana`");
            refuse(errors, "server.root_url", message);
            Origin::default()
        })
    }
}

/// `obs`, `/obs` and `/obs/` are `/obs/`.
fn prefix(text: &str) -> Option<String> {
    let inner = text.trim_matches('/');
    if inner.is_empty() {
        return Some("/".to_owned());
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let fine = |segment: &str| {
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(allowed)
    };
    inner.split('/').all(fine).then(|| format!("/{inner}/"))
}

fn is_authority(text: &str) -> bool {
    let parsed = text.parse::<http::uri::Authority>();
    parsed.is_ok_and(|a| a.port_u16().is_some() && !a.host().is_empty() && !a.as_str().contains('@'))
}

/// The administrator's password as the environment gives it: as it stands, not as YAML.
#[derive(Debug, Default)]
pub(super) struct Password {
    value: Option<Secret>,
    file: Option<String>,
}

impl Password {
    /// Takes it out of the environment of `sources`, so that the rest may be read as YAML.
    pub(super) fn take(sources: &Sources) -> (Sources, Self) {
        let mut rest = sources.clone();
        rest.env.retain(|(name, _)| name != PASSWORD);
        let value = sources.variable(PASSWORD).or_else(|| sources.variable(GRAFANA_PASSWORD));
        let taken = Self { value: value.map(Secret::new), file: sources.variable(GRAFANA_PASSWORD_FILE) };
        (rest, taken)
    }

    /// The configured password, wherever it stands; flags and files of ours win over the environment.
    pub(super) fn resolve(self, raw: &Raw, errors: &mut ConfigErrors) -> Option<Secret> {
        let named = raw.admin.password_file.clone().or_else(|| self.file.map(Into::into));
        let from_file = |path: &Path, errors: &mut ConfigErrors| match std::fs::read_to_string(path) {
            Ok(text) => Some(Secret::new(text.trim_end_matches(['\r', '\n']))),
            Err(e) => {
                refuse(errors, "admin.password_file", format!("{} cannot be read: {e}", path.display()));
                None
            }
        };
        let password = raw.admin.password.clone().or(self.value);
        let password = match (password, named) {
            (Some(password), _) => Some(password),
            (None, Some(path)) => from_file(&path, errors),
            (None, None) => None,
        };
        let production = raw.mode == Mode::Production;
        if let Some(given) = &password {
            let known = given.reveal() == DEFAULT_PASSWORD;
            let wrong = if known { None } else { check_password(given.reveal(), &raw.admin.user).err() };
            match wrong {
                None if known && production => {
                    refuse(
                        errors,
                        "admin.password",
                        "`admin` is the password that everybody knows: choose another",
                    );
                }
                Some(wrong) => refuse(errors, "admin.password", wrong),
                None => {}
            }
        }
        password
    }
}
