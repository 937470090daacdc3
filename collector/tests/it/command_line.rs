//! The binary: `validate`, `components`, `--check-config`.

use std::process::{Command, Output};

fn collector(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_collector")).args(arguments).output().unwrap()
}

#[test]
fn validate_is_silent_or_says_what_is_wrong() {
    let good = collector(&["validate"]);
    assert_eq!((good.status.code(), good.stdout.len(), good.stderr.len()), (Some(0), 0, 0), "{good:?}");
    let check = |yaml: &str, expect: &str| {
        let bad = collector(&["validate", "--config", &format!("yaml:{yaml}")]);
        let stderr = String::from_utf8(bad.stderr).unwrap();
        assert_eq!((bad.status.code(), bad.stdout.len()), (Some(1), 0), "{stderr}");
        assert!(stderr.starts_with("Error: ") && stderr.contains(expect), "{stderr}");
    };
    check("receivers: {kafka: }", "unknown type: \"kafka\" for id: \"kafka\" (valid values: [otlp])");
    check("{}", "Error: invalid configuration: empty configuration file\n");
    let pipeline = |exporter: &str| {
        format!(
            "{{receivers: {{otlp: {{protocols: {{grpc: }}}}}}, exporters: {exporter}, \
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}}}}}"
        )
    };
    check(
        &pipeline("{otlp_grpc: {sending_queue: {wait_for_result: false}}}"),
        "exporters::otlp_grpc: sending_queue: wait_for_result: false is not available",
    );
    check(&pipeline("{otlp_grpc: {endpoint: \"https://x:1\"}}"), "asks for TLS");
    check(&pipeline("{otlp_grpc: {endpoint: nowhere}}"), "endpoint \"nowhere\" has no port");
    check(&pipeline("{otlp_grpc: {tls: {ca_file: x}}}"), "'tls' has invalid keys: ca_file");
    check(
        "{receivers: {otlp: }, exporters: {debug: }, service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}",
        "receivers::otlp: must specify at least one protocol when using the OTLP receiver",
    );
    let deprecated = collector(&[
        "validate",
        "--config",
        &format!("yaml:{}", pipeline("{otlp_grpc: {endpoint: \"h:1\"}}")),
    ]);
    assert_eq!(deprecated.status.code(), Some(0), "{deprecated:?}");
}

#[test]
fn components_are_listed_and_check_config_checks() {
    let listed = collector(&["components"]);
    let text = String::from_utf8(listed.stdout).unwrap();
    for line in [
        "receivers:",
        "  - name: otlp",
        "  - name: otlp_grpc",
        "    deprecated_alias: otlp",
        "connectors: []",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} in\n{text}");
    }
    assert_eq!(collector(&["--check-config"]).status.code(), Some(0));
    let bad = collector(&["--check-config", "--config", "no/such.yaml"]);
    let stderr = String::from_utf8(bad.stderr).unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert!(stderr.contains("unable to read the file no/such.yaml"), "{stderr}");
}
