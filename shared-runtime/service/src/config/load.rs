//! A service's own configuration: defaults, then files, then environment, then flags.
//!
//! Knows: the order, names of variables. Must not know: keys, beyond what the default value serialises to. Start at
//! [`load`].

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::tree::{Mark, Node};
use super::{ConfigErrors, parse, parse_value, substitute, typed};
use crate::Args;

/// Where a service's configuration comes from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Name of the service; `trace-store` is overridden by `YC_TRACE_STORE_…`.
    pub service: &'static str,
    /// YAML files, later ones win.
    pub files: Vec<PathBuf>,
    /// `key=value`, from `--set`.
    pub sets: Vec<String>,
    /// The environment.
    pub env: Vec<(String, String)>,
}

impl Sources {
    /// What the flags and the process' environment give.
    #[must_use]
    pub fn from_args(service: &'static str, args: &Args) -> Self {
        let env = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        Self { service, files: args.config.clone(), sets: args.set.clone(), env }
    }

    /// Looks a variable up.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.env.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone())
    }
}

/// Loads `T`: its default, overridden by files, then by `YC_<SERVICE>_<KEY>` variables, then by `--set key=value`.
///
/// # Errors
/// Everything that is wrong in all of them, together.
pub fn load<T>(sources: &Sources) -> Result<T, ConfigErrors>
where
    T: Default + Serialize + DeserializeOwned,
{
    let mut errors = ConfigErrors::default();
    let mut tree = Node::map(Mark::of(sources.service));
    for file in &sources.files {
        let name = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => match parse(&text, &name) {
                Ok(mut node) => {
                    substitute(&mut node, &|v| sources.variable(v), &mut errors);
                    tree.merge(node);
                }
                Err(mut more) => errors.0.append(&mut more.0),
            },
            Err(e) => errors.push(Mark::of(&name).error("", format!("cannot be read: {e}"))),
        }
    }
    let known = known_keys(&T::default());
    apply_env(&mut tree, sources, &known, &mut errors);
    apply_sets(&mut tree, sources, &mut errors);
    match typed(&tree) {
        Ok(config) => errors.into_result().map(|()| config),
        Err(mut more) => {
            errors.0.append(&mut more.0);
            Err(errors)
        }
    }
}

/// `config` as YAML, secrets redacted (see [`super::Secret`]): what `/config` shows.
pub fn redacted<T: Serialize>(config: &T) -> String {
    serde_saphyr::to_string(config).unwrap_or_else(|e| format!("# cannot be shown: {e}\n"))
}

fn apply_env(tree: &mut Node, sources: &Sources, known: &[Vec<String>], errors: &mut ConfigErrors) {
    let prefix = format!("YC_{}_", sources.service.to_uppercase().replace('-', "_"));
    for (name, value) in &sources.env {
        let Some(rest) = name.strip_prefix(&prefix) else { continue };
        let mark = Mark::of(&format!("environment variable {name}"));
        let path = known.iter().find(|path| path.join("_").to_uppercase() == rest);
        match (path, parse_value(value, &mark.file)) {
            (Some(path), Ok(node)) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                tree.set(&path, Node { value: node.value, mark: mark.clone() });
            }
            (None, _) => {
                let message =
                    format!("{} has no such key; known: {}", sources.service, names(&prefix, known));
                errors.push(mark.error("", message));
            }
            (_, Err(mut more)) => errors.0.append(&mut more.0),
        }
    }
}

fn apply_sets(tree: &mut Node, sources: &Sources, errors: &mut ConfigErrors) {
    for set in &sources.sets {
        let mark = Mark::of("--set");
        let Some((key, value)) = set.split_once('=') else {
            errors.push(mark.error(set, "expected `key=value`"));
            continue;
        };
        match parse_value(value, "--set") {
            Ok(node) => {
                let path: Vec<&str> = key.split('.').collect();
                tree.set(&path, Node { value: node.value, mark: mark.clone() });
            }
            Err(mut more) => errors.0.append(&mut more.0),
        }
    }
}

fn names(prefix: &str, known: &[Vec<String>]) -> String {
    let list: Vec<_> =
        known.iter().map(|path| format!("{prefix}{}", path.join("_").to_uppercase())).collect();
    list.join(", ")
}

/// Paths of all leaves that the default value has.
fn known_keys<T: Serialize>(default: &T) -> Vec<Vec<String>> {
    fn walk(value: &serde_json::Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
        match value {
            serde_json::Value::Object(map) if !map.is_empty() => {
                for (key, below) in map {
                    path.push(key.clone());
                    walk(below, path, out);
                    path.pop();
                }
            }
            _ => out.push(path.clone()),
        }
    }
    let mut out = Vec::new();
    if let Ok(value) = serde_json::to_value(default) {
        walk(&value, &mut Vec::new(), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::{Period, Secret, Size};
    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Toy {
        retention: Option<Period>,
        head: Head,
        token: Secret,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Head {
        bytes_max: Size,
    }

    impl Default for Toy {
        fn default() -> Self {
            Self { retention: "15d".parse().ok(), head: Head::default(), token: Secret::default() }
        }
    }

    fn sources(env: &[(&str, &str)], sets: &[&str]) -> Sources {
        Sources {
            service: "trace-store",
            files: Vec::new(),
            sets: sets.iter().map(|s| (*s).to_owned()).collect(),
            env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }
    }

    #[test]
    fn flags_beat_the_environment_which_beats_defaults() {
        let check = |env: &[(&str, &str)], sets: &[&str], expect: &str| {
            let got = match load::<Toy>(&sources(env, sets)) {
                Ok(toy) => format!("{:?} {}", toy.retention.map(|r| r.to_string()), toy.head.bytes_max),
                Err(e) => e.to_string(),
            };
            assert_eq!(got, expect, "{env:?} {sets:?}");
        };
        check(&[], &[], "Some(\"15d\") 0");
        check(&[("YC_TRACE_STORE_RETENTION", "30d")], &[], "Some(\"30d\") 0");
        check(&[("YC_TRACE_STORE_RETENTION", "")], &[], "None 0");
        check(&[], &["retention=null"], "None 0");
        check(&[("YC_TRACE_STORE_RETENTION", "30d")], &["retention=1h"], "Some(\"1h\") 0");
        check(&[("YC_TRACE_STORE_HEAD_BYTES_MAX", "1MiB")], &[], "Some(\"15d\") 1MiB");
        check(&[("YC_QUERY_API_X", "1")], &["head.bytes_max=2KiB"], "Some(\"15d\") 2KiB");
        check(
            &[("YC_TRACE_STORE_RETENTOIN", "1d")],
            &["head.bytes=1", "oops", "retention=soon"],
            "invalid configuration: 4 errors\n  \
             environment variable YC_TRACE_STORE_RETENTOIN: trace-store has no such key; known: \
             YC_TRACE_STORE_HEAD_BYTES_MAX, YC_TRACE_STORE_RETENTION, YC_TRACE_STORE_TOKEN\n  \
             --set: `oops`: expected `key=value`\n  \
             --set: `head.bytes`: unknown key `bytes`; known: bytes_max\n  \
             --set: `retention`: `soon` is not a duration such as `300ms`, `1m30s` or `15d`",
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let mut from = sources(&[], &[]);
        from.files.push("none.yaml".into());
        let error = load::<Toy>(&from).unwrap_err().to_string();
        assert!(
            error.starts_with("invalid configuration: none.yaml: cannot be read: No such file"),
            "{error}"
        );
    }

    #[test]
    fn secrets_are_never_shown() {
        let toy: Toy = load(&sources(&[("YC_TRACE_STORE_TOKEN", "hunter2")], &[])).unwrap();
        assert_eq!(toy.token.reveal(), "hunter2");
        for shown in [redacted(&toy), format!("{toy:?}"), toy.token.to_string()] {
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains("<redacted>"), "{shown}");
        }
    }
}
