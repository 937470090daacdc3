//! Where a configuration comes from: files, `yaml:` texts, `env:` variables, merged left to right and expanded.
//!
//! Knows: URIs and the process' environment. Must not know: sections. Start at [`read`].

use runtime_service::Args;

use super::error::ConfigError;
use super::expand::{Lookup, expand};
use super::tree::{Mark, Node, Value, merge, parse, split_keys};

/// As the reference implementation bounds it.
const URIS_MAX: usize = 100;
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Which sources make up a configuration.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config` values, merged left to right: paths, `file:…`, `yaml:…`, `env:…`; none = [`super::DEFAULT`].
    pub uris: Vec<String>,
    /// `--set a.b.c=value`, merged last.
    pub sets: Vec<String>,
    /// Variables that win over the process' environment in `${env:…}`.
    pub variables: Vec<(String, String)>,
}

impl Sources {
    /// From the flags that all services share; `${env:YC_DATA_DIR}` is `--data-dir`.
    #[must_use]
    pub fn from_args(args: &Args) -> Self {
        Self {
            uris: args.config.iter().map(|path| path.display().to_string()).collect(),
            sets: args.set.clone(),
            variables: vec![("YC_DATA_DIR".to_owned(), args.data_dir.display().to_string())],
        }
    }
}

struct Process<'a>(&'a [(String, String)]);

impl Lookup for Process<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        let own = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        own.or_else(|| std::env::var(name).ok())
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        let bytes = std::fs::metadata(path)?.len();
        if bytes > FILE_BYTES_MAX {
            let text = format!("{bytes} bytes, a configuration has at most {FILE_BYTES_MAX}");
            return Err(std::io::Error::other(text));
        }
        std::fs::read_to_string(path)
    }
}

/// The merged and expanded tree, and the names of unset variables.
pub(super) fn read(sources: &Sources) -> Result<(Node, Vec<String>), ConfigError> {
    let lookup = Process(&sources.variables);
    let count = sources.uris.len() + sources.sets.len();
    if count > URIS_MAX {
        let what = format!("{count} sources are given, at most {URIS_MAX} are merged");
        return Err(ConfigError::Source { what });
    }
    let mut root = Node { value: Value::Map(Vec::new()), at: Mark::nowhere() };
    let mut unset = Vec::new();
    let mut lay = |node: Option<Node>| -> Result<(), ConfigError> {
        let Some(mut node) = node else { return Ok(()) };
        expand(&mut node, &lookup, &mut unset)?;
        if !matches!(node.value, Value::Map(_)) {
            let what = format!("retrieved value (type={}) cannot be used as a Conf", node.kind());
            return Err(ConfigError::Syntax { at: node.at, what });
        }
        merge(&mut root, node);
        Ok(())
    };
    if sources.uris.is_empty() {
        lay(parse("otel-collector-config.yaml", super::DEFAULT)?)?;
    }
    for uri in &sources.uris {
        lay(fetch(uri, &lookup)?)?;
    }
    for set in &sources.sets {
        lay(Some(assignment(set)?))?;
    }
    Ok((root, unset))
}

fn fetch(uri: &str, lookup: &dyn Lookup) -> Result<Option<Node>, ConfigError> {
    let unreadable = |what: String| ConfigError::Source { what };
    if let Some(text) = uri.strip_prefix("yaml:") {
        let mut node = parse("yaml:", text)?;
        node.iter_mut().for_each(split_keys);
        return Ok(node);
    }
    if let Some(name) = uri.strip_prefix("env:") {
        let text = lookup.variable(name);
        let text = text.ok_or_else(|| unreadable(format!("environment variable {name} is not set")))?;
        return parse(uri, &text);
    }
    if uri.starts_with("http:") || uri.starts_with("https:") {
        return Err(unreadable(format!("scheme of {uri:?} is not supported: use file:, env: or yaml:")));
    }
    let path = uri.strip_prefix("file:").unwrap_or(uri);
    let text = lookup.file(path).map_err(|e| unreadable(format!("unable to read the file {uri}: {e}")))?;
    parse(path, &text)
}

/// `a.b.c=value`
fn assignment(text: &str) -> Result<Node, ConfigError> {
    let Some((key, value)) = text.split_once('=') else {
        let what = format!(
            "--set {text:?} has no value: expected key=value, such as exporters.debug.verbosity=normal"
        );
        return Err(ConfigError::Source { what });
    };
    let mark = Mark { source: std::sync::Arc::from("--set"), line: 1, column: 1 };
    let mut node = parse("--set", value)?.unwrap_or_else(|| Node::null(mark));
    for part in key.split('.').collect::<Vec<_>>().into_iter().rev() {
        let at = node.at.clone();
        node = Node { value: Value::Map(vec![(part.to_owned(), node)]), at };
    }
    Ok(node)
}

/// Keys whose values are never shown.
const SECRET_KEYS: [&str; 7] =
    ["password", "token", "secret", "authorization", "api_key", "apikey", "key_pem"];

/// The tree as YAML flow text, one section a line block, secrets redacted.
pub(super) fn show(root: &Node) -> String {
    let mut out = String::new();
    show_node(root, 0, false, &mut out);
    out
}

fn show_node(node: &Node, depth: usize, hide: bool, out: &mut String) {
    match &node.value {
        Value::Null => out.push('\n'),
        Value::Scalar(_) if hide => out.push_str(" \"[REDACTED]\"\n"),
        Value::Scalar(scalar) => {
            out.push(' ');
            if scalar.quoted || scalar.text.is_empty() {
                out.push_str(&format!("{:?}", scalar.text));
            } else {
                out.push_str(&scalar.text);
            }
            out.push('\n');
        }
        Value::List(items) => {
            out.push('\n');
            for item in items {
                out.push_str(&"  ".repeat(depth));
                out.push('-');
                show_node(item, depth + 1, hide, out);
            }
        }
        Value::Map(map) => {
            if depth > 0 {
                out.push('\n');
            }
            for (key, child) in map {
                let lower = key.to_ascii_lowercase();
                let secret =
                    hide || lower == "headers" || SECRET_KEYS.iter().any(|word| lower.contains(word));
                out.push_str(&"  ".repeat(depth));
                out.push_str(key);
                out.push(':');
                show_node(child, depth + 1, secret, out);
            }
        }
    }
}
