//! What a configuration must fulfil beyond its types: references, counts, names.
//!
//! Knows: the checks of the OpenTelemetry Collector, in its order and words. Must not know: YAML, or how a graph is
//! built. Start at [`check`].

use super::{ComponentId, Config, Configured, Pipeline};

/// Everything that is wrong.
pub(super) fn check(config: &Config) -> Vec<String> {
    let nothing = config.receivers.is_empty()
        && config.processors.is_empty()
        && config.exporters.is_empty()
        && config.connectors.is_empty()
        && config.extensions.is_empty();
    if nothing {
        return vec!["empty configuration file".to_owned()];
    }
    let mut problems = Vec::new();
    if config.receivers.is_empty() && config.connectors.is_empty() {
        problems.push("no receiver configuration specified in config".to_owned());
    }
    if config.exporters.is_empty() && config.connectors.is_empty() {
        problems.push("no exporter configuration specified in config".to_owned());
    }
    if !problems.is_empty() {
        return problems;
    }
    components(config, &mut problems);
    connectors(config, &mut problems);
    for id in &config.service.extensions {
        if !has(&config.extensions, id) {
            problems.push(format!(
                "service::extensions: references extension {:?} which is not configured",
                id.to_string()
            ));
        }
    }
    if config.service.pipelines.is_empty() {
        problems.push("service::pipelines: service must have at least one pipeline".to_owned());
    }
    for pipeline in &config.service.pipelines {
        check_pipeline(config, pipeline, &mut problems);
    }
    problems
}

fn has<C: ?Sized>(configured: &[Configured<C>], id: &ComponentId) -> bool {
    configured.iter().any(|one| one.id == *id)
}

fn components(config: &Config, problems: &mut Vec<String>) {
    let mut add = |section: &str, id: &ComponentId, found: Vec<String>| {
        problems.extend(found.into_iter().map(|text| format!("{section}::{id}: {text}")));
    };
    config.receivers.iter().for_each(|one| add("receivers", &one.id, one.config.validate()));
    config.processors.iter().for_each(|one| add("processors", &one.id, one.config.validate()));
    config.exporters.iter().for_each(|one| add("exporters", &one.id, one.config.validate()));
    config.extensions.iter().for_each(|one| add("extensions", &one.id, one.config.validate()));
}

fn connectors(config: &Config, problems: &mut Vec<String>) {
    for connector in &config.connectors {
        let id = &connector.id;
        let mut ambiguous = |kind: &str| {
            problems.push(format!(
                "connectors::{id}: ambiguous ID: Found both \"{id}\" {kind} and \"{id}\" connector. Change one of the \
                 components' IDs to eliminate ambiguity (e.g. rename \"{id}\" connector to \"{id}/connector\")"
            ));
        };
        if has(&config.exporters, id) {
            ambiguous("exporter");
        }
        if has(&config.receivers, id) {
            ambiguous("receiver");
        }
    }
}

fn check_pipeline(config: &Config, pipeline: &Pipeline, problems: &mut Vec<String>) {
    let mut say = |text: String| problems.push(format!("service::pipelines::{}: {text}", pipeline.id));
    if pipeline.receivers.is_empty() {
        say("must have at least one receiver".to_owned());
    }
    if pipeline.exporters.is_empty() {
        say("must have at least one exporter".to_owned());
    }
    let lists = [
        ("receiver", &pipeline.receivers),
        ("processor", &pipeline.processors),
        ("exporter", &pipeline.exporters),
    ];
    for (kind, ids) in lists {
        for (at, id) in ids.iter().enumerate() {
            let before = ids.iter().take(at).filter(|other| *other == id).count();
            if before == 1 {
                say(format!("references {kind} {:?} multiple times", id.to_string()));
            }
            let known = match kind {
                "receiver" => has(&config.receivers, id) || has(&config.connectors, id),
                "processor" => has(&config.processors, id),
                _ => has(&config.exporters, id) || has(&config.connectors, id),
            };
            if !known && before == 0 {
                say(format!("references {kind} {:?} which is not configured", id.to_string()));
            }
        }
    }
}
