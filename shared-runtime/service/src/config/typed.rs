//! Tree → typed value, with *all* errors: what is wrong is noted, taken out, and the rest is tried again.
//!
//! Knows: paths. Must not know: keys. Start at [`typed`].

use serde::de::DeserializeOwned;

use super::ConfigErrors;
use super::de::{De, DeError};
use super::tree::{Node, dotted};

/// Errors listed at most.
const ERRORS_MAX: usize = 50;

/// Deserialises `node`.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn typed<T: DeserializeOwned>(node: &Node) -> Result<T, ConfigErrors> {
    let mut errors = ConfigErrors::default();
    let mut rest = None;
    while errors.0.len() < ERRORS_MAX {
        match T::deserialize(De(rest.as_ref().unwrap_or(node))) {
            Ok(value) if errors.0.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(error) => {
                let tree = rest.get_or_insert_with(|| node.clone());
                if !note(error, tree, &mut errors) {
                    break;
                }
            }
        }
    }
    Err(errors)
}

/// Notes `error` and takes its cause out of `tree`; whether it makes sense to go on.
fn note(mut error: DeError, tree: &mut Node, errors: &mut ConfigErrors) -> bool {
    error.path.reverse();
    let key = dotted(&error.path);
    let mark = error.place.unwrap_or_else(|| tree.mark.clone());
    let caused_by_us = error.missing && !errors.0.is_empty();
    if !caused_by_us {
        errors.push(mark.error(&key, error.message));
    }
    tree.remove(&error.path)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::{Period, Size, parse};
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Toy {
        retention: Option<Period>,
        head: Head,
        names: Vec<String>,
        port: u16,
        verbose: bool,
        mode: Mode,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Head {
        bytes_max: Size,
        ratio: f64,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        #[default]
        Fast,
        Safe,
    }

    #[test]
    fn a_good_file_is_typed() {
        let text = "retention: 15d\nhead: {bytes_max: 96MiB, ratio: 0.5}\nnames: [a, 12]\nport: 0x10\nverbose: true\nmode: safe\n";
        let toy: Toy = typed(&parse(text, "t.yaml").unwrap()).unwrap();
        assert_eq!(toy.retention.unwrap().to_string(), "15d");
        assert_eq!(toy.head, Head { bytes_max: Size(96 << 20), ratio: 0.5 });
        assert_eq!(
            (toy.names, toy.port, toy.verbose, toy.mode),
            (vec!["a".into(), "12".into()], 16, true, Mode::Safe)
        );
        assert_eq!(typed::<Toy>(&parse("", "t.yaml").unwrap()).unwrap(), Toy::default());
        assert_eq!(
            typed::<Toy>(&parse("head:\nretention: null", "t.yaml").unwrap()).unwrap(),
            Toy::default()
        );
    }

    #[test]
    fn every_error_is_named_with_its_place() {
        let check = |text: &str, expect: &[&str]| {
            let errors = match parse(text, "t.yaml").and_then(|node| typed::<Toy>(&node)) {
                Ok(toy) => panic!("{text} gave {toy:?}"),
                Err(errors) => errors,
            };
            let lines: Vec<_> = errors.0.iter().map(ToString::to_string).collect();
            assert_eq!(lines, expect, "{text}");
        };
        let known = "known: retention, head, names, port, verbose, mode";
        check(
            "retension: 1d",
            &[&format!("t.yaml:1: `retension`: unknown key `retension`; did you mean `retention`? {known}")],
        );
        check("zzz: 1", &[&format!("t.yaml:1: `zzz`: unknown key `zzz`; {known}")]);
        check(
            "port: 70000\nhead:\n  bytes_max: much\n  x: 1\nverbose: \"true\"\nnames:\n  - {}\nmode: quick",
            &[
                "t.yaml:1: `port`: 70000 is out of range, expected 0 to 65535",
                "t.yaml:3: `head.bytes_max`: `much` is not a size such as `4096`, `64KiB` or `16MiB`",
                "t.yaml:4: `head.x`: unknown key `x`; known: bytes_max, ratio",
                "t.yaml:5: `verbose`: expected `true` or `false`, found the text `true`",
                "t.yaml:7: `names[0]`: expected text, found a map",
                "t.yaml:8: `mode`: unknown value `quick`; known: fast, safe",
            ],
        );
        check("port:", &["t.yaml:1: `port`: expected a whole number, found no value"]);
        check("- a", &["t.yaml:1: expected a map, found a list"]);
        check("port: 1\nport: 2", &["t.yaml:2: `port`: this key stands here twice"]);
        check("a: [", &["t.yaml:1: broken YAML: unclosed bracket '['"]);
    }

    #[test]
    fn anchors_and_merge_keys_are_expanded() {
        let text = "head: &h {bytes_max: 1KiB, ratio: 1}\n";
        let node = parse(&format!("{text}other: {{<<: *h, ratio: 2}}"), "t.yaml").unwrap();
        assert_eq!(node.get("other").unwrap().get("ratio").unwrap().text(), Some("2"));
        assert_eq!(node.get("other").unwrap().get("bytes_max").unwrap().text(), Some("1KiB"));
    }

    #[test]
    fn alias_bombs_and_deep_nesting_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..8 {
            let many = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb.push_str(&format!("a{i}: &a{i} [{many}]\n"));
        }
        assert!(parse(&bomb, "t.yaml").unwrap_err().to_string().contains("more than 100000 nodes"));
        let deep = format!("a: {}{}", "[".repeat(80), "]".repeat(80));
        assert!(parse(&deep, "t.yaml").unwrap_err().to_string().contains("nested deeper than 64"));
    }
}
