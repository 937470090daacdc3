//! What may be asked of which source: a list of what is allowed, not of what is not.
//!
//! Knows: query-api's paths, by prefix. Must not know: how they are asked. Start at [`least_role`].

use http::{HeaderMap, Method, StatusCode, header};

use crate::access::Role;
use crate::failure::Failure;

/// Both of query-api.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Its Jaeger API, 16686.
    Traces,
    /// Its Prometheus API, 9090.
    Metrics,
}

impl Source {
    /// Every source.
    pub(crate) const ALL: [Self; 2] = [Self::Traces, Self::Metrics];

    /// The source called `uid`.
    pub(crate) fn find(uid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.uid() == uid)
    }

    /// As in URLs.
    pub(crate) fn uid(self) -> &'static str {
        self.name()
    }

    /// As shown.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }

    /// A number, for clients that want one.
    pub(crate) fn id(self) -> u32 {
        match self {
            Self::Traces => 1,
            Self::Metrics => 2,
        }
    }

    /// The kind of API.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Traces => "jaeger",
            Self::Metrics => "prometheus",
        }
    }

    /// A small question.
    pub(super) fn probe_path(self) -> &'static str {
        match self {
            Self::Traces => "/api/services",
            Self::Metrics => "/api/v1/status/buildinfo",
        }
    }
}

/// A path, or with a trailing `/` everything below it.
type Rule = (&'static [Method], &'static str, Role);

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const BOTH: &[Method] = &[Method::GET, Method::POST];

const TRACES: &[Rule] = &[
    (GET, "/api/services", Role::Viewer),
    (GET, "/api/services/", Role::Viewer),
    (GET, "/api/operations", Role::Viewer),
    (GET, "/api/traces", Role::Viewer),
    (GET, "/api/traces/", Role::Viewer),
    (GET, "/api/dependencies", Role::Viewer),
    (GET, "/api/metrics/", Role::Viewer),
    (GET, "/api/v3/", Role::Viewer),
    (GET, "/api/yc/v1/", Role::Viewer),
    // reads its body, keeps nothing
    (POST, "/api/transform", Role::Viewer),
    (POST, "/api/archive/", Role::Editor),
];

const METRICS: &[Rule] = &[
    // Prometheus' clients send long queries as forms
    (BOTH, "/api/v1/query", Role::Viewer),
    (BOTH, "/api/v1/query_range", Role::Viewer),
    (BOTH, "/api/v1/query_exemplars", Role::Viewer),
    (BOTH, "/api/v1/series", Role::Viewer),
    (BOTH, "/api/v1/labels", Role::Viewer),
    (BOTH, "/api/v1/format_query", Role::Viewer),
    (BOTH, "/api/v1/parse_query", Role::Viewer),
    (GET, "/api/v1/label/", Role::Viewer),
    (GET, "/api/v1/metadata", Role::Viewer),
    (GET, "/api/v1/rules", Role::Viewer),
    (GET, "/api/v1/alerts", Role::Viewer),
    (GET, "/api/v1/alertmanagers", Role::Viewer),
    (GET, "/api/v1/targets", Role::Viewer),
    (GET, "/api/v1/targets/metadata", Role::Viewer),
    (GET, "/api/v1/scrape_pools", Role::Viewer),
    (GET, "/api/v1/status/buildinfo", Role::Viewer),
    (GET, "/api/v1/status/runtimeinfo", Role::Viewer),
    (GET, "/api/v1/status/tsdb", Role::Viewer),
    // flags and configuration name hosts and paths
    (GET, "/api/v1/status/config", Role::Admin),
    (GET, "/api/v1/status/flags", Role::Admin),
    (GET, "/api/yc/v1/", Role::Viewer),
];

/// What a caller must be at least; `None` when nobody may.
pub(super) fn least_role(source: Source, method: &Method, path: &str) -> Option<Role> {
    let rules = match source {
        Source::Traces => TRACES,
        Source::Metrics => METRICS,
    };
    let fits = |(methods, pattern, _): &&Rule| {
        let hit = match pattern.ends_with('/') {
            true => path.len() > pattern.len() && path.starts_with(pattern),
            false => path == *pattern,
        };
        methods.contains(method) && hit
    };
    rules.iter().find(fits).map(|(_, _, role)| *role)
}

/// A body must be JSON, or the form that Prometheus' clients send (to routes that only read).
///
/// # Errors
/// 415.
pub(super) fn check_body(method: &Method, headers: &HeaderMap) -> Result<(), Failure> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let allowed = ["application/json", "application/x-www-form-urlencoded"].contains(&media_type.as_str());
    match *method != Method::POST || allowed {
        true => Ok(()),
        false => {
            let message = "The content type must be application/json or application/x-www-form-urlencoded";
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_proxied() {
        let check = |source, method: Method, path: &str, expect: Option<Role>| {
            assert_eq!(least_role(source, &method, path), expect, "{source:?} {method} {path}");
        };
        let (traces, metrics) = (Source::Traces, Source::Metrics);
        check(traces, Method::GET, "/api/services", Some(Role::Viewer));
        check(traces, Method::GET, "/api/services/a%20b/operations", Some(Role::Viewer));
        check(traces, Method::GET, "/api/yc/v1/overview", Some(Role::Viewer));
        check(traces, Method::POST, "/api/transform", Some(Role::Viewer));
        check(traces, Method::POST, "/api/archive/1", Some(Role::Editor));
        check(traces, Method::GET, "/", None);
        check(traces, Method::GET, "", None);
        check(traces, Method::GET, "/api/", None);
        check(traces, Method::GET, "/api/services/", None);
        check(traces, Method::GET, "/api/servicesx", None);
        check(traces, Method::GET, "/metrics", None);
        check(traces, Method::GET, "/search", None);
        check(traces, Method::POST, "/api/services", None);
        check(traces, Method::DELETE, "/api/traces/1", None);
        check(metrics, Method::POST, "/api/v1/query_range", Some(Role::Viewer));
        check(metrics, Method::GET, "/api/v1/status/config", Some(Role::Admin));
        check(metrics, Method::POST, "/api/v1/write", None);
        check(metrics, Method::POST, "/api/v1/otlp/v1/metrics", None);
        check(metrics, Method::POST, "/api/v1/admin/tsdb/delete_series", None);
        check(metrics, Method::PUT, "/api/v1/query", None);
        check(metrics, Method::POST, "/-/reload", None);
        check(metrics, Method::GET, "/api/v1/query/x", None);
    }
}
