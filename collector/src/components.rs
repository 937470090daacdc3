//! The table of component types: adding one is a file and a row.
//!
//! Knows: which types exist, under which names. Must not know: their keys. Start at [`standard`].

use shared_proto::otlp::Signal;

use crate::component::{ALL, Catalog, Factory};
use crate::decode_as;
use crate::exporters::{DebugConfig, FileConfig, OtlpGrpcConfig};
use crate::extensions::HealthCheckConfig;
use crate::processors::{BatchConfig, MemoryLimiterConfig};
use crate::receivers::OtlpConfig;

const fn row<C: ?Sized>(
    kind: &'static str,
    alias: Option<&'static str>,
    decode: fn(&crate::config::tree::Node) -> Result<Box<C>, Vec<String>>,
) -> Factory<C> {
    Factory { kind, alias, signals: ALL, turns: &[], decode }
}

/// What this collector is made of.
pub(crate) fn standard() -> Catalog {
    Catalog {
        receivers: vec![row("otlp", None, decode_as!(OtlpConfig))],
        processors: vec![
            row("batch", None, decode_as!(BatchConfig)),
            row("memory_limiter", None, decode_as!(MemoryLimiterConfig)),
        ],
        exporters: vec![
            row("debug", None, decode_as!(DebugConfig)),
            row("file", None, decode_as!(FileConfig)),
            row("otlp_grpc", Some("otlp"), decode_as!(OtlpGrpcConfig)),
        ],
        connectors: Vec::new(),
        extensions: vec![row("health_check", None, decode_as!(HealthCheckConfig))],
    }
}

/// The text of `collector components`.
pub(crate) fn listing(catalog: &Catalog) -> String {
    let mut out = format!("buildinfo:\n  command: collector\n  version: {}\n", env!("CARGO_PKG_VERSION"));
    let mut section = |name: &str, rows: Vec<(&str, Option<&str>, &[Signal])>| {
        out.push_str(name);
        out.push_str(if rows.is_empty() { ": []\n" } else { ":\n" });
        for (kind, alias, signals) in rows {
            out.push_str(&format!("  - name: {kind}\n"));
            if let Some(alias) = alias {
                out.push_str(&format!("    deprecated_alias: {alias}\n"));
            }
            if !signals.is_empty() {
                let signals: Vec<&str> = signals.iter().map(|signal| signal.as_str()).collect();
                out.push_str(&format!("    signals: [{}]\n", signals.join(", ")));
            }
        }
    };
    section("receivers", catalog.receivers.iter().map(|row| (row.kind, row.alias, row.signals)).collect());
    section("processors", catalog.processors.iter().map(|row| (row.kind, row.alias, row.signals)).collect());
    section("exporters", catalog.exporters.iter().map(|row| (row.kind, row.alias, row.signals)).collect());
    section("connectors", catalog.connectors.iter().map(|row| (row.kind, row.alias, row.signals)).collect());
    section(
        "extensions",
        catalog.extensions.iter().map(|row| (row.kind, row.alias, &[] as &[Signal])).collect(),
    );
    out
}
