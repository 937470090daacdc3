//! Checks what a graph must fulfil before anything is built: signals, connectors on both sides, no cycle.
//!
//! Knows: pipelines and the table of types. Must not know: components' keys. Start at [`plan`].

use shared_proto::otlp::Signal;

use crate::component::{Catalog, ConnectorConfig, Factory};
use crate::config::{ComponentId, Config, Pipeline};

/// The order in which pipelines are built: a pipeline comes after all that its connectors feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) order: Vec<usize>,
}

/// Checks the pipelines against the table.
///
/// # Errors
/// Every problem, in the OpenTelemetry Collector's words.
pub(crate) fn plan(config: &Config, catalog: &Catalog) -> Result<Plan, Vec<String>> {
    let planner = Planner { config, catalog };
    let mut problems = Vec::new();
    for pipeline in &config.service.pipelines {
        planner.signals(pipeline, &mut problems);
    }
    planner.connectors(&mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    planner.order()
}

struct Planner<'a> {
    config: &'a Config,
    catalog: &'a Catalog,
}

impl Planner<'_> {
    fn signals(&self, pipeline: &Pipeline, problems: &mut Vec<String>) {
        let signal = pipeline.id.signal;
        let mut refuse = |kind: &str, id: &ComponentId, place: String| {
            problems
                .push(format!("failed to create \"{id}\" {kind}{place}: telemetry type is not supported"));
        };
        let pipeline_id = &pipeline.id;
        for id in &pipeline.receivers {
            let kind = self.config.receivers.iter().find(|one| one.id == *id).map(|one| one.kind);
            if kind.is_some_and(|kind| !takes(&self.catalog.receivers, kind, signal)) {
                refuse("receiver", id, format!(" for data type {:?}", signal.as_str()));
            }
        }
        for id in &pipeline.processors {
            let kind = self.config.processors.iter().find(|one| one.id == *id).map(|one| one.kind);
            if kind.is_some_and(|kind| !takes(&self.catalog.processors, kind, signal)) {
                refuse("processor", id, format!(", in pipeline \"{pipeline_id}\""));
            }
        }
        for id in &pipeline.exporters {
            let kind = self.config.exporters.iter().find(|one| one.id == *id).map(|one| one.kind);
            if kind.is_some_and(|kind| !takes(&self.catalog.exporters, kind, signal)) {
                refuse("exporter", id, format!(" for data type {:?}", signal.as_str()));
            }
        }
    }

    fn turns(&self, kind: &str) -> &[(Signal, Signal)] {
        let row: Option<&Factory<dyn ConnectorConfig>> =
            self.catalog.connectors.iter().find(|row| row.kind == kind);
        row.map_or(&[], |row| row.turns)
    }

    /// A connector stands at the end of some pipelines and at the start of others, with signals that it can turn.
    fn connectors(&self, problems: &mut Vec<String>) {
        for connector in &self.config.connectors {
            let pipelines = &self.config.service.pipelines;
            let id = &connector.id;
            let turns = self.turns(connector.kind);
            let from: Vec<&Pipeline> = pipelines.iter().filter(|p| p.exporters.contains(id)).collect();
            let to: Vec<&Pipeline> = pipelines.iter().filter(|p| p.receivers.contains(id)).collect();
            let turned = |a: &Pipeline, b: &Pipeline| turns.contains(&(a.id.signal, b.id.signal));
            for signal in crate::component::ALL {
                let here: Vec<&&Pipeline> = from.iter().filter(|p| p.id.signal == *signal).collect();
                if let Some(first) = here.first()
                    && !to.iter().any(|receiving| turned(first, receiving))
                {
                    problems.push(format!(
                        "connector \"{id}\" used as exporter in [{}] pipeline but not used in any supported receiver \
                         pipeline",
                        names(&here)
                    ));
                }
                let here: Vec<&&Pipeline> = to.iter().filter(|p| p.id.signal == *signal).collect();
                if let Some(first) = here.first()
                    && !from.iter().any(|exporting| turned(exporting, first))
                {
                    problems.push(format!(
                        "connector \"{id}\" used as receiver in [{}] pipeline but not used in any supported exporter \
                         pipeline",
                        names(&here)
                    ));
                }
            }
        }
    }

    /// Pipelines that `from` feeds, and the connector between them.
    fn feeds(&self, from: &Pipeline) -> Vec<(usize, &ComponentId)> {
        let mut fed = Vec::new();
        for connector in &self.config.connectors {
            if !from.exporters.contains(&connector.id) {
                continue;
            }
            for (at, to) in self.config.service.pipelines.iter().enumerate() {
                let turns = self.turns(connector.kind).contains(&(from.id.signal, to.id.signal));
                if turns && to.receivers.contains(&connector.id) {
                    fed.push((at, &connector.id));
                }
            }
        }
        fed
    }

    fn order(&self) -> Result<Plan, Vec<String>> {
        let count = self.config.service.pipelines.len();
        let mut walk = Walk { planner: self, done: vec![false; count], path: Vec::new(), order: Vec::new() };
        for at in 0..count {
            walk.visit(at, None).map_err(|cycle| vec![cycle])?;
        }
        Ok(Plan { order: walk.order })
    }
}

fn takes<C: ?Sized>(table: &[Factory<C>], kind: &str, signal: Signal) -> bool {
    table.iter().find(|row| row.kind == kind).is_some_and(|row| row.signals.contains(&signal))
}

fn names(pipelines: &[&&Pipeline]) -> String {
    pipelines.iter().map(|p| p.id.to_string()).collect::<Vec<_>>().join(" ")
}

/// Depth first: a pipeline is done after everything that it feeds.
struct Walk<'a> {
    planner: &'a Planner<'a>,
    done: Vec<bool>,
    /// Pipelines from the start of the walk, each with the connector that led to it.
    path: Vec<(usize, Option<&'a ComponentId>)>,
    order: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, at: usize, by: Option<&'a ComponentId>) -> Result<(), String> {
        if self.done.get(at).copied().unwrap_or(true) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|(known, _)| *known == at) {
            return Err(self.cycle(start, by));
        }
        self.path.push((at, by));
        if let Some(pipeline) = self.planner.config.service.pipelines.get(at) {
            for (next, connector) in self.planner.feeds(pipeline) {
                self.visit(next, Some(connector))?;
            }
        }
        self.path.pop();
        if let Some(done) = self.done.get_mut(at) {
            *done = true;
        }
        self.order.push(at);
        Ok(())
    }

    /// `connector "c" (traces to traces) -> processor "p" in pipeline "traces" -> connector "c" (traces to traces)`
    fn cycle(&self, start: usize, closing: Option<&ComponentId>) -> String {
        let pipelines = &self.planner.config.service.pipelines;
        let ring: Vec<_> =
            self.path.iter().skip(start).filter_map(|(at, by)| Some((pipelines.get(*at)?, *by))).collect();
        let mut parts = Vec::new();
        let mut from = ring.last().map(|(pipeline, _)| pipeline.id.signal);
        let last = ring.len().saturating_sub(1);
        for (at, (pipeline, by)) in ring.iter().enumerate() {
            let by = if at == 0 { closing } else { *by };
            if let (Some(by), Some(from)) = (by, from) {
                parts.push(format!("connector \"{by}\" ({from} to {})", pipeline.id.signal));
            }
            for processor in &pipeline.processors {
                parts.push(format!("processor \"{processor}\" in pipeline \"{}\"", pipeline.id));
            }
            from = Some(pipeline.id.signal);
            if at == last {
                parts.extend(parts.first().cloned());
            }
        }
        format!("cycle detected: {}", parts.join(" -> "))
    }
}
