//! Configurations that other people wrote: what we lack is refused by name, everything else loads.

use std::path::PathBuf;

use collector::{Config, Sources};

fn shared(name: &str) -> Option<String> {
    let folder = std::env::var_os("SHARED_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = folder.join("configs").join(name);
    if !path.exists() {
        println!("{} is absent, nothing is checked", path.display());
        return None;
    }
    Some(path.display().to_string())
}

fn load(uris: Vec<String>) -> Result<Config, String> {
    Config::load(&Sources { uris, ..Sources::default() }).map_err(|error| error.to_string())
}

/// Ids of the components that a refusal names, and whatever else it says.
fn refused(error: &str) -> (Vec<String>, Vec<String>) {
    let body = error.split("error(s):\n\n").nth(1).unwrap_or_else(|| panic!("{error}"));
    let (mut ids, mut rest) = (Vec::new(), Vec::new());
    for line in body.lines().filter(|line| !line.starts_with("\tat ")) {
        match line.split("for id: \"").nth(1).and_then(|tail| tail.split('"').next()) {
            Some(id) => ids.push(id.to_owned()),
            None => rest.push(line.to_owned()),
        }
    }
    (ids, rest)
}

#[test]
fn components_that_we_lack_are_refused_by_name_and_nothing_else_is() {
    let profiles = "'service.pipelines' pipeline \"profiles\": profiling signal support is at alpha level, gated \
                    under the \"service.profilesSupport\" feature gate";
    let check = |name: &str, lacking: &[&str]| {
        let Some(path) = shared(name) else { return };
        let (ids, rest) = refused(&load(vec![path]).expect_err("something is lacking"));
        assert_eq!(ids, lacking, "{name}");
        assert_eq!(rest, [profiles], "{name}");
    };
    check(
        "otel-lgtm-otelcol-config.yaml",
        &["prometheus/collector", "otlp_http/metrics", "otlp_http/traces", "otlp_http/logs"],
    );
    check(
        "otel-demo-otelcol-config.yml",
        &[
            "http_check/frontend-proxy",
            "nginx",
            "docker_stats",
            "redis",
            "postgresql",
            "prometheus/ad",
            "host_metrics",
            "resource_detection",
            "filter/sanitize_profiles",
            "transform/sanitize_logs",
            "gen_ai_normalizer",
            "transform/sanitize_spans",
            "transform/redact_sensitive_data",
            "span_metrics",
        ],
    );
}

#[test]
fn what_is_left_of_a_file_loads() {
    let Some(lgtm) = shared("otel-lgtm-otelcol-config.yaml") else { return };
    let without = "yaml:{receivers: {prometheus/collector: }, exporters: {otlp_http/metrics: }}";
    let error = load(vec![lgtm.clone(), without.to_owned()]).unwrap_err();
    assert!(error.contains("prometheus/collector"), "a null value keeps a component: {error}");
    let text = std::fs::read_to_string(lgtm).unwrap();
    let kept: Vec<&str> = ["receivers:", "extensions:", "processors:", "exporters:", "service:"].to_vec();
    let mut section = "";
    let mut skipping = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some(name) = kept.iter().find(|name| line.starts_with(**name)) {
            section = name;
        }
        let indent = line.len() - line.trim_start().len();
        if indent <= 2 {
            let lacking =
                line.contains("prometheus/collector:") || line.trim_start().starts_with("otlp_http/");
            skipping = section != "service:" && lacking;
        }
        if !skipping {
            lines.push(line.replace("otlp_http/", "debug/").replace(", prometheus/collector", ""));
        }
    }
    let cut = lines.join("\n");
    let (head, _) = cut.split_once("    profiles:").unwrap();
    let config = load(vec![format!("yaml:{head}")]).unwrap_or_else(|error| panic!("{error}\n{head}"));
    assert!(format!("{config:?}").contains("0.0.0.0:4317"));
}
