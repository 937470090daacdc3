//! The configuration format against the texts that the OpenTelemetry Collector is known by.

use super::*;
use crate::testing::catalog;

const NOP: &str = "receivers: {nop: }\nexporters: {nop: }\nprocessors: {nop: , bf: }\n";

fn load_all(texts: &[&str], sets: &[&str], variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let sources = Sources {
        uris: texts.iter().map(|text| format!("yaml:{text}")).collect(),
        sets: sets.iter().map(|&set| set.to_owned()).collect(),
        variables: variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    Config::load_with(&sources, &catalog())
}

/// The error without the lines that say where.
fn complaint(texts: &[&str]) -> String {
    let error = load_all(texts, &[], &[]).expect_err("the configuration must be refused").to_string();
    error.lines().filter(|line| !line.starts_with("\tat ")).collect::<Vec<_>>().join("\n")
}

const DECODING: &str = "failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n";

#[test]
fn invalid_configurations_are_refused_in_the_reference_s_words() {
    let check = |text: &str, expect: &str| assert_eq!(complaint(&[text]), expect, "\n{text}");
    let nop = |rest: &str, expect: &str| check(&format!("{NOP}{rest}"), expect);
    let traces = "service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}";
    nop(
        "service: {pipelines: {traces: {receivers: [nop], processors: [nop], exporters: [nop/2]}}}",
        "invalid configuration: service::pipelines::traces: references exporter \"nop/2\" which is not configured",
    );
    nop(
        "service: {pipelines: {traces: {receivers: [nop/2], exporters: [nop]}}}",
        "invalid configuration: service::pipelines::traces: references receiver \"nop/2\" which is not configured",
    );
    nop(
        "service: {pipelines: {traces: {receivers: [nop], processors: [nop/2], exporters: [nop]}}}",
        "invalid configuration: service::pipelines::traces: references processor \"nop/2\" which is not configured",
    );
    nop(
        "service: {extensions: [x], pipelines: {traces: {receivers: [nop], exporters: [nop]}}}",
        "invalid configuration: service::extensions: references extension \"x\" which is not configured",
    );
    check(
        &format!("exporters: {{nop: }}\n{traces}"),
        "invalid configuration: no receiver configuration specified in config",
    );
    check(
        &format!("receivers: {{nop: }}\n{traces}"),
        "invalid configuration: no exporter configuration specified in config",
    );
    check("{}", "invalid configuration: empty configuration file");
    nop("service: {}", "invalid configuration: service::pipelines: service must have at least one pipeline");
    nop(
        "service: {pipelines: {traces: {exporters: [nop]}}}",
        "invalid configuration: service::pipelines::traces: must have at least one receiver",
    );
    nop(
        "service: {pipelines: {traces: {receivers: [nop]}}}",
        "invalid configuration: service::pipelines::traces: must have at least one exporter",
    );
    nop(
        "service: {pipelines: {traces: {receivers: [nop], processors: [nop, nop], exporters: [nop]}}}",
        "invalid configuration: service::pipelines::traces: references processor \"nop\" multiple times",
    );
    nop(
        "service: {pipelines: {traces: }}",
        "invalid configuration: service::pipelines::traces: must have at least one receiver\n\
         service::pipelines::traces: must have at least one exporter",
    );
    check(
        &format!("receivers: {{nop: }}\nexporters: {{nop: {{text: invalid}}}}\n{traces}"),
        "invalid configuration: exporters::nop: text must not be \"invalid\"",
    );
    check(
        &format!(
            "receivers: {{nop: }}\nexporters: {{nop: , nop_conn/x: }}\nconnectors: {{nop_conn/x: }}\n{traces}"
        ),
        &format!(
            "{DECODING}'exporters' unknown type: \"nop_conn\" for id: \"nop_conn/x\" (valid values: [nop otlp_grpc])"
        ),
    );
}

#[test]
fn a_connector_named_like_an_exporter_is_ambiguous() {
    let mut catalog = catalog();
    for row in &mut catalog.connectors {
        row.kind = "nop";
    }
    let text = "receivers: {nop: }\nexporters: {nop/x: }\nconnectors: {nop/x: }\n\
                service: {pipelines: {traces: {receivers: [nop], exporters: [nop/x]}}}";
    let sources = Sources { uris: vec![format!("yaml:{text}")], ..Sources::default() };
    assert_eq!(
        Config::load_with(&sources, &catalog).unwrap_err().to_string(),
        "invalid configuration: connectors::nop/x: ambiguous ID: Found both \"nop/x\" exporter and \"nop/x\" \
         connector. Change one of the components' IDs to eliminate ambiguity (e.g. rename \"nop/x\" connector to \
         \"nop/x/connector\")"
    );
}

#[test]
fn unknown_types_keys_and_values_are_named_all_together() {
    let check = |text: &str, expect: &str| {
        assert_eq!(complaint(&[text]), format!("{DECODING}{expect}"), "\n{text}");
    };
    check(
        "receivers: {foo/1: }",
        "'receivers' unknown type: \"foo\" for id: \"foo/1\" (valid values: [nop])",
    );
    check(
        "exporters: {logging: {loglevel: info}}",
        "'exporters' the logging exporter has been deprecated, use the debug exporter instead",
    );
    check("nosuch: 1\nreceivers: {}", "'' has invalid keys: nosuch");
    check("receivers: {\"nop/\": }", "'receivers' in \"nop/\" id: the part after / should not be empty");
    check("receivers: {\"/x\": }", "'receivers' in \"/x\" id: the part before / should not be empty");
    check(
        "receivers: {\"nop/a b\": }",
        "'receivers' in \"nop/a b\" id: invalid name: invalid character(s) in name \"a b\"",
    );
    check(
        "receivers: {\"no-p\": }",
        "'receivers' in \"no-p\" id: invalid type: invalid character(s) in type \"no-p\"",
    );
    check(
        "receivers: {nop: {flag: \"true\", nomber: 1}}\nexporters: {nop: {number: x}}\nprocessors: {x: , y: }",
        "'receivers' error reading configuration for \"nop\": decoding failed due to the following error(s):\n\n\
         '' has invalid keys: nomber\n\
         'flag' expected type 'bool', got unconvertible type 'string', value: 'true'\n\
         'processors' unknown type: \"x\" for id: \"x\" (valid values: [nop bf])\n\
         'processors' unknown type: \"y\" for id: \"y\" (valid values: [nop bf])\n\
         'exporters' error reading configuration for \"nop\": decoding failed due to the following error(s):\n\n\
         'number' expected type 'uint64', got unconvertible type 'string', value: 'x'",
    );
    check(
        "service: {pipelines: {\"metrics/\": {receivers: [nop], exporters: [nop]}}}",
        "'service.pipelines' in \"metrics/\" id: the part after / should not be empty",
    );
    check(
        "service: {pipelines: {profiles: {receivers: [nop], exporters: [nop]}}}",
        "'service.pipelines' pipeline \"profiles\": profiling signal support is at alpha level, gated under the \
         \"service.profilesSupport\" feature gate",
    );
    check("service: {pipelines: {spans: }}", "'service.pipelines' in \"spans\" id: unknown signal \"spans\"");
    check(
        "service: {telemetry: {metrics: {address: x}}}",
        "'service.telemetry.metrics' has invalid keys: address",
    );
    check(
        "receivers: {nop: [1]}",
        concat!(
            "'receivers' error reading configuration for \"nop\": decoding failed due to the following error(s):\n\n",
            "'' expected type 'map', got unconvertible type '[]interface {}'"
        ),
    );
}

#[test]
fn the_receiver_s_unknown_key_has_the_reference_s_text() {
    let text = "yaml:receivers: {otlp: {protocols: {htttp: }}}";
    let sources = Sources { uris: vec![text.to_owned()], ..Sources::default() };
    let error = Config::load(&sources).unwrap_err().to_string();
    let expect = "error reading configuration for \"otlp\": decoding failed due to the following error(s):\n\n\
                  'protocols' has invalid keys: htttp\n\tat yaml::1:";
    assert!(error.contains(expect), "{error}");
}

#[test]
fn graphs_that_cannot_be_built_are_refused() {
    let check = |rest: &str, expect: &str| {
        let text = format!("{NOP}connectors: {{nop_conn: , nop_conn/2: }}\n{rest}");
        assert_eq!(complaint(&[&text]), format!("failed to build pipelines: {expect}"), "\n{rest}");
    };
    check(
        "service: {pipelines: {logs: {receivers: [nop], processors: [bf], exporters: [nop]}}}",
        "failed to create \"bf\" processor, in pipeline \"logs\": telemetry type is not supported",
    );
    check(
        "service: {pipelines: {traces/in: {receivers: [nop], exporters: [nop_conn]}}}",
        "connector \"nop_conn\" used as exporter in [traces/in] pipeline but not used in any supported receiver pipeline",
    );
    check(
        "service: {pipelines: {traces/out: {receivers: [nop_conn], exporters: [nop]}}}",
        "connector \"nop_conn\" used as receiver in [traces/out] pipeline but not used in any supported exporter pipeline",
    );
    check(
        "service: {pipelines: {traces/in: {receivers: [nop], exporters: [nop_conn]}, metrics/out: {receivers: [nop_conn], exporters: [nop]}}}",
        "connector \"nop_conn\" used as exporter in [traces/in] pipeline but not used in any supported receiver pipeline\n\
         connector \"nop_conn\" used as receiver in [metrics/out] pipeline but not used in any supported exporter pipeline",
    );
    check(
        "service: {pipelines: {traces: {receivers: [nop_conn], processors: [nop], exporters: [nop_conn]}}}",
        "cycle detected: connector \"nop_conn\" (traces to traces) -> processor \"nop\" in pipeline \"traces\" -> \
         connector \"nop_conn\" (traces to traces)",
    );
    check(
        "service: {pipelines: {traces/a: {receivers: [nop, nop_conn], exporters: [nop_conn/2]}, traces/b: {receivers: [nop_conn/2], processors: [nop], exporters: [nop_conn]}}}",
        "cycle detected: connector \"nop_conn\" (traces to traces) -> connector \"nop_conn/2\" (traces to traces) -> \
         processor \"nop\" in pipeline \"traces/b\" -> connector \"nop_conn\" (traces to traces)",
    );
}

#[test]
fn sources_and_syntax_that_cannot_be_read_are_named() {
    let load = |uri: &str| {
        let sources = Sources { uris: vec![uri.to_owned()], ..Sources::default() };
        Config::load(&sources).unwrap_err().to_string()
    };
    let check = |uri: &str, expect: &str| {
        let error = load(uri);
        assert!(error.contains(expect), "{uri}: {error}");
    };
    check("file:no/such.yaml", "unable to read the file file:no/such.yaml");
    check("https://example.com/x.yaml", "scheme of \"https://example.com/x.yaml\" is not supported");
    check("env:YC_NO_SUCH_VARIABLE", "environment variable YC_NO_SUCH_VARIABLE is not set");
    check("yaml:just text", "retrieved value (type=string) cannot be used as a Conf");
    check("yaml:a: [", "yaml::1:");
    check("yaml:a: 1\na: 2", "mapping key \"a\" already defined at line 1");
    check(
        "yaml:receivers: {nop: {text: \"${1x}\"}}",
        "environment variable \"1x\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$",
    );
    check("yaml:receivers: {nop: {text: \"${consul:x}\"}}", "scheme \"consul\" is not supported");
    check("yaml:a: ${env:A:-${file:no/such}}", "unable to read the file no/such");
}

/// The `nop` receiver's keys after loading, read from the shown configuration.
fn shown(texts: &[&str], sets: &[&str], variables: &[(&str, &str)]) -> String {
    let service = "service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}";
    let base = format!("receivers: {{nop: }}\nexporters: {{nop: }}\n{service}");
    let mut all = vec![base.as_str()];
    all.extend(texts);
    let config = load_all(&all, sets, variables).unwrap_or_else(|error| panic!("{texts:?}: {error}"));
    format!("{:?}", config.receivers[0].config)
}

#[test]
fn later_sources_win_and_variables_are_expanded() {
    let vars = &[("A", "alpha"), ("NUMBER", "0123"), ("INT", "7"), ("NESTED", "${env:A}!"), ("EMPTY", "")];
    let check = |text: &str, expect: &str| {
        let got = shown(&[&format!("receivers:\n  nop:\n    text: {text}")], &[], vars);
        let expect = format!("Nop {{ text: {expect:?}, number: 0, flag: false }}");
        assert_eq!(got, expect, "{text}");
    };
    check("plain", "plain");
    check("${A}", "alpha");
    check("${env:A}", "alpha");
    check("\"<${env:A}:${INT}>\"", "<alpha:7>");
    check("${env:NUMBER}", "0123");
    check("${env:NOPE:-fallback}", "fallback");
    check("${env:NOPE:-}", "");
    check("${env:NOPE:-${env:A}}", "alpha");
    check("${env:EMPTY:-unused}", "");
    check("${env:NOPE}", "");
    check("${env:NESTED}", "alpha!");
    check("$$A", "$A");
    check("\"$${env:A} $A $\"", "${env:A} $A $");
    check("\"${env:${env:A}:-inner}\"", "inner");
    let number = |text: &str| shown(&[&format!("receivers:\n  nop:\n    number: {text}")], &[], vars);
    assert_eq!(number("${env:INT}"), "Nop { text: \"\", number: 7, flag: false }");
    let later = ["receivers: {nop: {text: a, number: 1}}", "receivers: {nop: {text: b, flag: true}}"];
    assert_eq!(shown(&later, &[], &[]), "Nop { text: \"b\", number: 1, flag: true }");
    assert_eq!(shown(&later, &["receivers.nop.number=5"], &[]), "Nop { text: \"b\", number: 5, flag: true }");
    assert_eq!(shown(&["receivers::nop::number: 9"], &[], &[]), "Nop { text: \"\", number: 9, flag: false }");
    assert_eq!(
        shown(&[later[0], "receivers: {nop: }"], &[], &[]),
        "Nop { text: \"\", number: 0, flag: false }"
    );
}

#[test]
fn an_unset_variable_is_a_warning_and_an_alias_too() {
    let text = "receivers: {nop: {text: \"${env:YC_UNSET}\"}}\nexporters: {otlp/x: }\n\
                service: {pipelines: {traces: {receivers: [nop], exporters: [otlp/x]}}}";
    let config = load_all(&[text], &[], &[]).unwrap();
    assert_eq!(
        config.warnings,
        [
            "\"otlp\" alias is deprecated; use \"otlp_grpc\" instead",
            "configuration references unset environment variable YC_UNSET",
        ]
    );
}

#[test]
fn a_null_section_deletes_and_an_empty_one_does_not() {
    let base = "receivers: {nop: }\nexporters: {nop: }\nprocessors: {nop: }\n\
                service: {pipelines: {traces: {receivers: [nop], processors: [nop], exporters: [nop]}}}";
    assert!(load_all(&[base, "processors: {}"], &[], &[]).is_ok());
    let error = load_all(&[base, "processors:"], &[], &[]).unwrap_err().to_string();
    assert!(error.contains("references processor \"nop\" which is not configured"), "{error}");
    let replaced = load_all(&[base, "service: {pipelines: {traces: {processors: []}}}"], &[], &[]).unwrap();
    assert!(replaced.service.pipelines[0].processors.is_empty());
}

#[test]
fn durations_are_go_s() {
    let check = |text: &str, expect: Result<u64, &str>| {
        let got = decode::parse_duration(text).map(|d| u64::try_from(d.as_micros()).unwrap());
        assert_eq!(got, expect.map_err(str::to_owned), "{text}");
    };
    check("5ms", Ok(5_000));
    check("1m30s", Ok(90_000_000));
    check("1.5h", Ok(5_400_000_000));
    check("0", Ok(0));
    check("7us", Ok(7));
    check("5", Err("time: missing unit in duration \"5\""));
    check("5d", Err("time: unknown unit \"d\" in duration \"5d\""));
    check("", Err("time: invalid duration \"\""));
    check("-1s", Err("time: invalid duration \"-1s\""));
}

#[test]
fn secrets_are_not_shown() {
    let text = "receivers: {nop: }\nexporters: {nop: {text: x}}\n\
                service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}";
    let config = load_all(&[text], &[], &[]).unwrap();
    assert!(config.shown.contains("text: x"), "{}", config.shown);
    let root = tree::parse("t", "headers: {a: hunter2}\npassword: hunter2\nlist: [1, {token: hunter2}]")
        .unwrap()
        .unwrap();
    let shown = source::show(&root);
    assert!(!shown.contains("hunter2") && shown.contains("REDACTED"), "{shown}");
}

#[test]
fn the_default_configuration_is_valid() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.service.pipelines.len(), 2);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn anchors_merge_and_nesting_and_aliases_are_bounded() {
    let tree = tree::parse("t", "a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n").unwrap().unwrap();
    let b = tree.get("b").unwrap();
    let text = |key: &str| match &b.get(key).unwrap().value {
        Value::Scalar(scalar) => scalar.text.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!((text("k"), text("l")), ("1".to_owned(), "3".to_owned()));
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert!(tree::parse("t", &deep).unwrap_err().to_string().contains("nested deeper than 64 levels"));
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..9 {
        let many = format!("*a{}, ", n - 1).repeat(10);
        laughs += &format!("a{n}: &a{n} [{many}]\n");
    }
    assert!(tree::parse("t", &laughs).unwrap_err().to_string().contains("more than 100000 values"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z:{}\\[\\],\n \"'$&*!|>#-]{0,80}", value in "[ -~]{0,40}") {
        for text in [text, format!("receivers:\n  nop:\n    text: {value}\n"), format!("a: \"{value}\"")] {
            let sources = Sources { uris: vec![format!("yaml:{text}")], ..Sources::default() };
            let _either_way = Config::load_with(&sources, &catalog());
        }
    }

    #[test]
    fn merging_an_empty_map_changes_nothing_and_the_last_value_wins(
        a in "[a-c]", b in "[a-c]", first in 0u32..9, second in 0u32..9,
    ) {
        let parse = |text: String| tree::parse("t", &text).unwrap().unwrap();
        let mut base = parse(format!("x: {{{a}: {first}}}"));
        let before = base.clone();
        tree::merge(&mut base, Node { value: Value::Map(Vec::new()), at: before.at.clone() });
        assert_eq!(base, before);
        tree::merge(&mut base, parse(format!("x: {{{b}: {second}}}")));
        let read = |key: &str| match base.get("x").and_then(|x| x.get(key)).map(|node| &node.value) {
            Some(Value::Scalar(scalar)) => scalar.text.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(read(&b), second.to_string());
        if a != b {
            assert_eq!(read(&a), first.to_string());
        }
    }
}
