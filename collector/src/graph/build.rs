//! Makes the components of a checked graph, from the ends to the starts.
//!
//! Knows: sharing (one receiver and one exporter over all pipelines, processors per pipeline). Must not know: how a
//! component works. Start at [`build`].

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use shared_proto::otlp::Signal;

use super::plan::Plan;
use crate::admission::Admission;
use crate::component::{Component, Host, Output, Outputs};
use crate::config::{ComponentId, Config, Pipeline};
use crate::pipeline::{Consumer, fan_out};

/// Built components, in the order in which they start: exporters, processors, receivers. They stop in reverse.
pub(crate) struct Graph {
    pub(crate) exporters: Vec<Arc<dyn Component>>,
    pub(crate) processors: Vec<Arc<dyn Component>>,
    pub(crate) receivers: Vec<Arc<dyn Component>>,
    pub(crate) extensions: Vec<Arc<dyn Component>>,
}

/// Builds everything that the pipelines name, and starts nothing.
///
/// # Errors
/// When a component cannot be built, naming it.
pub(crate) fn build(config: &Config, plan: &Plan, host: &Host) -> anyhow::Result<Graph> {
    let mut builder = Builder {
        config,
        host,
        entries: HashMap::new(),
        ends: HashMap::new(),
        graph: Graph {
            exporters: Vec::new(),
            processors: Vec::new(),
            receivers: Vec::new(),
            extensions: Vec::new(),
        },
    };
    builder.exporters()?;
    for at in &plan.order {
        if let Some(pipeline) = config.service.pipelines.get(*at) {
            let entry = builder.pipeline(pipeline)?;
            builder.entries.insert(*at, entry);
        }
    }
    builder.receivers()?;
    builder.extensions()?;
    Ok(builder.graph)
}

struct Builder<'a> {
    config: &'a Config,
    host: &'a Host,
    /// Pipeline (its index) → its first consumer.
    entries: HashMap<usize, Output>,
    /// Exporter → its consumer.
    ends: HashMap<ComponentId, Arc<dyn Consumer>>,
    graph: Graph,
}

impl Builder<'_> {
    fn exporters(&mut self) -> anyhow::Result<()> {
        for one in &self.config.exporters {
            let used =
                self.config.service.pipelines.iter().any(|pipeline| pipeline.exporters.contains(&one.id));
            if !used {
                continue;
            }
            let built = one.config.build(&one.id, self.host);
            let built = built.with_context(|| format!("failed to create \"{}\" exporter", one.id))?;
            self.ends.insert(one.id.clone(), built.consumer);
            self.graph.exporters.extend(built.component);
        }
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> anyhow::Result<Output> {
        let mut admission = Admission::default();
        let mut ends = Vec::new();
        for id in &pipeline.exporters {
            if let Some(end) = self.ends.get(id) {
                ends.push(end.clone());
            } else if let Some(connector) = self.config.connectors.iter().find(|one| one.id == *id) {
                let outputs = self.outputs(id);
                outputs.values().for_each(|output| admission.join(&output.admission));
                let built = connector.config.build(id, pipeline.id.signal, outputs, self.host);
                ends.push(built.with_context(|| format!("failed to create \"{id}\" connector"))?);
            }
        }
        let mut next = fan_out(ends);
        let mut components = Vec::new();
        for id in pipeline.processors.iter().rev() {
            let Some(one) = self.config.processors.iter().find(|one| one.id == *id) else { continue };
            let built = one.config.build(id, &pipeline.id, next, self.host);
            let built = built.with_context(|| {
                format!("failed to create \"{id}\" processor, in pipeline \"{}\"", pipeline.id)
            })?;
            next = built.consumer;
            components.extend(built.component);
            built.budget.into_iter().for_each(|budget| admission.add(budget));
        }
        self.graph.processors.extend(components);
        Ok(Output { consumer: next, admission })
    }

    /// Every pipeline that starts with `id`, by signal.
    fn outputs(&self, id: &ComponentId) -> Outputs {
        let mut by_signal: HashMap<Signal, Vec<&Output>> = HashMap::new();
        for (at, pipeline) in self.config.service.pipelines.iter().enumerate() {
            if pipeline.receivers.contains(id)
                && let Some(entry) = self.entries.get(&at)
            {
                by_signal.entry(pipeline.id.signal).or_default().push(entry);
            }
        }
        let join = |entries: Vec<&Output>| {
            let mut admission = Admission::default();
            entries.iter().for_each(|entry| admission.join(&entry.admission));
            let consumers = entries.iter().map(|entry| entry.consumer.clone()).collect();
            Output { consumer: fan_out(consumers), admission }
        };
        by_signal.into_iter().map(|(signal, entries)| (signal, join(entries))).collect()
    }

    fn receivers(&mut self) -> anyhow::Result<()> {
        for one in &self.config.receivers {
            let outputs = self.outputs(&one.id);
            if outputs.is_empty() {
                continue;
            }
            let built = one.config.build(&one.id, outputs, self.host);
            self.graph
                .receivers
                .push(built.with_context(|| format!("failed to create \"{}\" receiver", one.id))?);
        }
        Ok(())
    }

    fn extensions(&mut self) -> anyhow::Result<()> {
        for id in &self.config.service.extensions {
            let Some(one) = self.config.extensions.iter().find(|one| one.id == *id) else { continue };
            let built = one.config.build(id, self.host);
            self.graph
                .extensions
                .push(built.with_context(|| format!("failed to create extension \"{id}\""))?);
        }
        Ok(())
    }
}
