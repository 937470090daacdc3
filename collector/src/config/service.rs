//! The `service` section: pipelines, extensions, own telemetry.
//!
//! Knows: its keys. Must not know: whether a named component exists (that is `check`). Start at [`read`].

use std::collections::HashMap;

use serde::Deserialize;

use super::decode::decode;
use super::ids::{ComponentId, PipelineId};
use super::tree::{Node, Value};

/// The section, typed.
#[derive(Debug, Default)]
pub(crate) struct Service {
    pub(crate) extensions: Vec<ComponentId>,
    pub(crate) pipelines: Vec<Pipeline>,
    /// Own metrics: `host:port`; `None` when the level is `none`.
    pub(crate) metrics_endpoint: Option<MetricsEndpoint>,
}

/// Where own metrics are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetricsEndpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Default for MetricsEndpoint {
    fn default() -> Self {
        MetricsEndpoint { host: "localhost".to_owned(), port: 8888 }
    }
}

/// One pipeline, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: PipelineId,
    pub(crate) receivers: Vec<ComponentId>,
    pub(crate) processors: Vec<ComponentId>,
    pub(crate) exporters: Vec<ComponentId>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawService {
    extensions: Vec<String>,
    pipelines: Ordered,
    telemetry: RawTelemetry,
}

/// Pipelines are read from the tree itself, in the order of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ordered(HashMap<String, RawPipeline>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawPipeline {
    receivers: Vec<String>,
    processors: Vec<String>,
    exporters: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// Accepted as the reference accepts them; what has no effect here is said in a warning.
struct RawTelemetry {
    logs: RawLogs,
    metrics: RawMetrics,
    traces: Option<Anything>,
    resource: Option<Anything>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// Accepted as the reference accepts them; what has no effect here is said in a warning.
struct RawLogs {
    level: Option<String>,
    encoding: Option<String>,
    development: Option<bool>,
    disable_caller: Option<bool>,
    disable_stacktrace: Option<bool>,
    disable_zap_resource: Option<bool>,
    sampling: Option<Anything>,
    output_paths: Option<Vec<String>>,
    error_output_paths: Option<Vec<String>>,
    initial_fields: Option<Anything>,
    processors: Option<Vec<Anything>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawMetrics {
    level: Option<Level>,
    readers: Option<Vec<RawReader>>,
    views: Option<Vec<Anything>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    None,
    Basic,
    Normal,
    Detailed,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawReader {
    pull: Option<RawPull>,
    periodic: Option<Anything>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawPull {
    exporter: RawPullExporter,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawPullExporter {
    prometheus: Option<RawPrometheus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// Names carry neither unit nor type suffix here, whatever these say.
struct RawPrometheus {
    host: Option<String>,
    port: Option<u16>,
    without_scope_info: Option<bool>,
    without_units: Option<bool>,
    without_type_suffix: Option<bool>,
    with_resource_constant_labels: Option<Anything>,
}

/// Any value, looked at by nobody.
#[derive(Debug, Default)]
struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Anything)
    }
}

/// Types the section, noting everything that is wrong.
pub(super) fn read(node: Option<&Node>, problems: &mut Vec<String>, warnings: &mut Vec<String>) -> Service {
    let Some(node) = node else {
        return Service { metrics_endpoint: Some(MetricsEndpoint::default()), ..Service::default() };
    };
    let raw = match decode::<RawService>(node) {
        Ok(raw) => raw,
        Err(found) => {
            problems.extend(found.into_iter().map(|text| prefixed(&text)));
            return Service::default();
        }
    };
    let mut note = |path: &str, text: String, at: &Node| {
        problems.push(format!("'{path}' {text}\n\tat {}", at.at));
    };
    let mut extensions = Vec::new();
    for text in &raw.extensions {
        match text.parse() {
            Ok(id) => extensions.push(id),
            Err(text) => note("service.extensions", text, node),
        }
    }
    let mut pipelines = Vec::new();
    if let Some(Node { value: Value::Map(map), .. }) = node.get("pipelines") {
        for (key, at) in map {
            let Some(one) = raw.pipelines.0.get(key) else { continue };
            match pipeline(key, one) {
                Ok(pipeline) => pipelines.push(pipeline),
                Err(text) => note("service.pipelines", text, at),
            }
        }
    }
    let metrics_endpoint = metrics_endpoint(&raw.telemetry.metrics, warnings);
    warn(&raw.telemetry, warnings);
    Service { extensions, pipelines, metrics_endpoint }
}

fn prefixed(text: &str) -> String {
    match text.strip_prefix("''") {
        Some(rest) => format!("'service'{rest}"),
        None => text.replacen('\'', "'service.", 1),
    }
}

fn pipeline(key: &str, raw: &RawPipeline) -> Result<Pipeline, String> {
    let ids = |texts: &[String]| {
        texts.iter().map(|text| text.parse()).collect::<Result<Vec<ComponentId>, String>>()
    };
    Ok(Pipeline {
        id: key.parse()?,
        receivers: ids(&raw.receivers)?,
        processors: ids(&raw.processors)?,
        exporters: ids(&raw.exporters)?,
    })
}

fn metrics_endpoint(raw: &RawMetrics, warnings: &mut Vec<String>) -> Option<MetricsEndpoint> {
    if raw.level == Some(Level::None) {
        return None;
    }
    let mut endpoint = MetricsEndpoint::default();
    for reader in raw.readers.iter().flatten() {
        if reader.periodic.is_some() {
            warnings.push(
                "service::telemetry::metrics::readers: periodic readers have no effect, own metrics are served for \
                 scraping"
                    .to_owned(),
            );
        }
        let prometheus = reader.pull.as_ref().and_then(|pull| pull.exporter.prometheus.as_ref());
        if let Some(prometheus) = prometheus {
            endpoint.host = prometheus.host.clone().unwrap_or(endpoint.host);
            endpoint.port = prometheus.port.unwrap_or(endpoint.port);
        }
    }
    if raw.views.is_some() {
        warnings.push("service::telemetry::metrics::views have no effect".to_owned());
    }
    Some(endpoint)
}

fn warn(raw: &RawTelemetry, warnings: &mut Vec<String>) {
    let mut unused = |present: bool, key: &str| {
        if present {
            warnings.push(format!("service::telemetry::{key} has no effect, use the --log flags"));
        }
    };
    unused(raw.logs.processors.is_some(), "logs::processors");
    unused(raw.logs.level.is_some() || raw.logs.encoding.is_some(), "logs");
    unused(raw.traces.is_some(), "traces");
    unused(raw.resource.is_some(), "resource");
}
