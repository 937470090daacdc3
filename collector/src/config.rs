//! `otel-collector-config.yaml` in the OpenTelemetry Collector's format, strictly.
//!
//! Knows: sources, merging, expansion, sections, names and references. Must not know: what a component does with its
//! keys (each decodes its own). Steps: [`source`] reads and merges files, `expand` fills in variables, `decode` types a
//! section, this file puts the sections together. Start at [`Config::load`].

mod check;
mod decode;
mod error;
mod expand;
mod ids;
mod service;
mod source;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

use std::fmt;

pub(crate) use decode::{GoDuration, Section, decode};
pub use error::{ConfigError, Place};
pub(crate) use ids::{ComponentId, PipelineId};
pub(crate) use service::{Pipeline, Service};
pub use source::Sources;

use self::tree::{Node, Value};
use crate::component::{
    Catalog, ConnectorConfig, ExporterConfig, ExtensionConfig, Factory, ProcessorConfig, ReceiverConfig,
};

/// The configuration that runs when none is given.
pub const DEFAULT: &str = include_str!("../../deploy/config/otel-collector-config.yaml");

/// A configured component.
pub(crate) struct Configured<C: ?Sized> {
    pub(crate) id: ComponentId,
    /// The type's own name, also where the file uses its deprecated alias.
    pub(crate) kind: &'static str,
    pub(crate) config: Box<C>,
}

/// A configuration that was read, typed and checked; only ports and peers can still fail it.
pub struct Config {
    pub(crate) receivers: Vec<Configured<dyn ReceiverConfig>>,
    pub(crate) processors: Vec<Configured<dyn ProcessorConfig>>,
    pub(crate) exporters: Vec<Configured<dyn ExporterConfig>>,
    pub(crate) connectors: Vec<Configured<dyn ConnectorConfig>>,
    pub(crate) extensions: Vec<Configured<dyn ExtensionConfig>>,
    pub(crate) service: Service,
    /// The effective text, secrets redacted, for `/config`.
    pub(crate) shown: String,
    /// Things to log once logging runs.
    pub(crate) warnings: Vec<String>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Config {
    /// Reads, merges, expands, types and checks a configuration.
    ///
    /// # Errors
    /// Everything that is wrong, together, in the OpenTelemetry Collector's words.
    pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
        Self::load_with(sources, &crate::components::standard())
    }

    pub(crate) fn load_with(sources: &Sources, catalog: &Catalog) -> Result<Config, ConfigError> {
        let (root, unset) = source::read(sources)?;
        let mut config = type_sections(&root, catalog)?;
        config.warnings.extend(
            unset
                .into_iter()
                .map(|name| format!("configuration references unset environment variable {name}")),
        );
        let problems = check::check(&config);
        if !problems.is_empty() {
            return Err(ConfigError::Invalid { problems });
        }
        crate::graph::plan(&config, catalog).map_err(|problems| ConfigError::Graph { problems })?;
        Ok(config)
    }
}

const SECTIONS: [&str; 6] = ["receivers", "processors", "exporters", "connectors", "extensions", "service"];

fn type_sections(root: &Node, catalog: &Catalog) -> Result<Config, ConfigError> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    if let Value::Map(map) = &root.value {
        let unknown: Vec<&(String, Node)> =
            map.iter().filter(|(key, _)| !SECTIONS.contains(&key.as_str())).collect();
        if let Some((_, first)) = unknown.first() {
            let keys: Vec<&str> = unknown.iter().map(|(key, _)| key.as_str()).collect();
            problems.push(format!("'' has invalid keys: {}\n\tat {}", keys.join(", "), first.at));
        }
    }
    let mut sections = Typing { root, problems: &mut problems, warnings: &mut warnings };
    let receivers = sections.components("receivers", &catalog.receivers);
    let processors = sections.components("processors", &catalog.processors);
    let exporters = sections.components("exporters", &catalog.exporters);
    let connectors = sections.components("connectors", &catalog.connectors);
    let extensions = sections.components("extensions", &catalog.extensions);
    let service = service::read(root.get("service"), &mut problems, &mut warnings);
    if !problems.is_empty() {
        return Err(ConfigError::Decoding { problems });
    }
    let shown = source::show(root);
    Ok(Config { receivers, processors, exporters, connectors, extensions, service, shown, warnings })
}

struct Typing<'a> {
    root: &'a Node,
    problems: &'a mut Vec<String>,
    warnings: &'a mut Vec<String>,
}

impl Typing<'_> {
    fn components<C: ?Sized>(&mut self, section: &str, table: &[Factory<C>]) -> Vec<Configured<C>> {
        let mut found: Vec<Configured<C>> = Vec::new();
        let Some(node) = self.root.get(section) else { return found };
        let entries = match &node.value {
            Value::Map(map) => map.as_slice(),
            _ if node.is_null() => &[],
            _ => {
                let kind = node.kind();
                self.problems.push(format!(
                    "'{section}' expected type 'map', got unconvertible type '{kind}'\n\tat {}",
                    node.at
                ));
                &[]
            }
        };
        for (key, value) in entries {
            match self.component(section, key, value, table) {
                Ok(one) if found.iter().any(|known| known.id == one.id) => {
                    self.problems.push(format!("'{section}' duplicate name {key:?}\n\tat {}", value.at));
                }
                Ok(one) => found.push(one),
                Err(text) => self.problems.push(format!("'{section}' {text}")),
            }
        }
        found
    }

    fn component<C: ?Sized>(
        &mut self,
        section: &str,
        key: &str,
        node: &Node,
        table: &[Factory<C>],
    ) -> Result<Configured<C>, String> {
        let id: ComponentId = key.parse().map_err(|text| format!("{text}\n\tat {}", node.at))?;
        let row = table.iter().find(|row| row.kind == id.kind || row.alias == Some(id.kind.as_str()));
        let Some(row) = row else {
            if section == "exporters" && id.kind == "logging" {
                let text = "the logging exporter has been deprecated, use the debug exporter instead";
                return Err(format!("{text}\n\tat {}", node.at));
            }
            let kinds: Vec<&str> = table.iter().map(|row| row.kind).collect();
            let (kind, valid) = (&id.kind, kinds.join(" "));
            return Err(format!(
                "unknown type: {kind:?} for id: {:?} (valid values: [{valid}])\n\tat {}",
                id.to_string(),
                node.at
            ));
        };
        if row.kind != id.kind {
            self.warnings.push(format!("{:?} alias is deprecated; use {:?} instead", id.kind, row.kind));
        }
        let config = (row.decode)(node).map_err(|problems| {
            format!(
                "error reading configuration for {:?}: decoding failed due to the following error(s):\n\n{}",
                id.to_string(),
                problems.join("\n")
            )
        })?;
        Ok(Configured { id, kind: row.kind, config })
    }
}

/// The usual `decode` of a table row: a typed struct, boxed as its trait.
#[macro_export]
#[doc(hidden)]
macro_rules! decode_as {
    ($type:ty) => {
        |node| Ok(Box::new($crate::config::decode::<$type>(node)?))
    };
}
