//! Expands `${env:NAME:-default}`, `${NAME}`, `${file:path}`, `${yaml:text}` and `$$` in a tree.
//!
//! Knows: the grammar of expansion and its limits. Must not know: keys, types, or where environment variables come from
//! (handed in by [`Lookup`]). Start at [`expand`].

use super::error::ConfigError;
use super::tree::{Mark, Node, Scalar, Value, parse, split_keys};

/// Values expanded inside values: a variable that names itself ends here.
const ROUNDS_MAX: usize = 32;
/// An expanded text beyond this is a mistake, not a configuration.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// Where variables and files come from.
pub(crate) trait Lookup {
    fn variable(&self, name: &str) -> Option<String>;
    fn file(&self, path: &str) -> std::io::Result<String>;
}

/// Expands every scalar of the tree in place. Unset variables without a default become empty and are named in
/// `unset`.
pub(crate) fn expand(
    node: &mut Node,
    lookup: &dyn Lookup,
    unset: &mut Vec<String>,
) -> Result<(), ConfigError> {
    Expander { lookup, unset }.walk(node, 0)
}

struct Expander<'a> {
    lookup: &'a dyn Lookup,
    unset: &'a mut Vec<String>,
}

/// What one `${…}` gave.
enum Found {
    Nothing,
    Text(String),
    /// A file's or variable's content that is a map or a list.
    Tree(Node),
}

impl Expander<'_> {
    fn walk(&mut self, node: &mut Node, round: usize) -> Result<(), ConfigError> {
        match &mut node.value {
            Value::Map(map) => map.iter_mut().try_for_each(|(_, child)| self.walk(child, round)),
            Value::List(items) => items.iter_mut().try_for_each(|child| self.walk(child, round)),
            Value::Scalar(scalar) if scalar.text.contains('$') => {
                let text = std::mem::take(&mut scalar.text);
                node.value = self.scalar(&text, scalar.quoted, &node.at, round)?;
                Ok(())
            }
            Value::Scalar(_) | Value::Null => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, quoted: bool, at: &Mark, round: usize) -> Result<Value, ConfigError> {
        if let Some(inner) = whole(text) {
            return match self.resolve(inner, at, round)? {
                Found::Nothing => Ok(Value::Scalar(Scalar { text: String::new(), quoted, expanded: true })),
                Found::Text(text) => self.reread(text, quoted, at),
                Found::Tree(node) => Ok(node.value),
            };
        }
        let text = self.text(text, at, round)?;
        Ok(Value::Scalar(Scalar { text, quoted, expanded: false }))
    }

    /// A whole value is read as YAML again, so a variable can hold a list; a scalar keeps its text.
    fn reread(&mut self, text: String, quoted: bool, at: &Mark) -> Result<Value, ConfigError> {
        let looks_like_tree = text.trim_start().starts_with(['[', '{', '-']) || text.contains(": ");
        if !quoted
            && looks_like_tree
            && let Ok(Some(node)) = parse(&at.source, &text)
            && matches!(node.value, Value::Map(_) | Value::List(_))
        {
            return Ok(node.value);
        }
        Ok(Value::Scalar(Scalar { text, quoted, expanded: true }))
    }

    /// Expands all `${…}` and `$$` inside a longer text.
    fn text(&mut self, text: &str, at: &Mark, round: usize) -> Result<String, ConfigError> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(escaped) = after.strip_prefix('$') {
                out.push('$');
                rest = escaped;
            } else if let Some((inner, tail)) = braces(after) {
                match self.resolve(inner, at, round)? {
                    Found::Nothing => {}
                    Found::Text(text) => out.push_str(&text),
                    Found::Tree(_) => {
                        let what = format!(
                            "expanding ${{{inner}}}, expected string value type, got a map or a list"
                        );
                        return Err(ConfigError::Expansion { at: at.clone(), what });
                    }
                }
                rest = tail;
            } else {
                out.push('$');
                rest = after;
            }
            if out.len() > TEXT_BYTES_MAX {
                let what = format!("a value expands to more than {TEXT_BYTES_MAX} bytes");
                return Err(ConfigError::Expansion { at: at.clone(), what });
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn resolve(&mut self, inner: &str, at: &Mark, round: usize) -> Result<Found, ConfigError> {
        if round >= ROUNDS_MAX {
            let what = format!("${{{inner}}} expands into itself more than {ROUNDS_MAX} times");
            return Err(ConfigError::Expansion { at: at.clone(), what });
        }
        let inner = self.text(inner, at, round + 1)?;
        let (scheme, body) = match inner.split_once(':') {
            Some((scheme, body)) if is_scheme(scheme) => (scheme, body),
            _ => ("env", inner.as_str()),
        };
        match scheme {
            "env" => self.variable(body, at, round),
            "file" => {
                let text = self.lookup.file(body).map_err(|error| ConfigError::Expansion {
                    at: at.clone(),
                    what: format!("unable to read the file {body}: {error}"),
                })?;
                self.content(body, text.trim_end_matches(['\n', '\r']), at, round)
            }
            "yaml" => self.content("yaml:", body, at, round),
            _ => {
                let what = format!("scheme {scheme:?} is not supported for uri {inner:?}");
                Err(ConfigError::Expansion { at: at.clone(), what })
            }
        }
    }

    fn variable(&mut self, body: &str, at: &Mark, round: usize) -> Result<Found, ConfigError> {
        let (name, default) = match body.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (body, None),
        };
        if !is_name(name) {
            let what = format!(
                "environment variable {name:?} has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$"
            );
            return Err(ConfigError::Expansion { at: at.clone(), what });
        }
        match (self.lookup.variable(name), default) {
            (Some(text), _) => self.content(name, &text, at, round),
            (None, Some(default)) => Ok(Found::Text(default.to_owned())),
            (None, None) => {
                if !self.unset.iter().any(|known| known == name) {
                    self.unset.push(name.to_owned());
                }
                Ok(Found::Nothing)
            }
        }
    }

    fn content(&mut self, name: &str, text: &str, at: &Mark, round: usize) -> Result<Found, ConfigError> {
        let tree = text.contains('\n') || text.trim_start().starts_with(['[', '{']) || text.contains(": ");
        if tree
            && let Ok(Some(mut node)) = parse(name, text)
            && matches!(node.value, Value::Map(_) | Value::List(_))
        {
            if name == "yaml:" {
                split_keys(&mut node);
            }
            self.walk(&mut node, round + 1)?;
            return Ok(Found::Tree(node));
        }
        Ok(Found::Text(if text.contains("${") { self.text(text, at, round + 1)? } else { text.to_owned() }))
    }
}

/// The inside of a text that is one `${…}` and nothing else.
fn whole(text: &str) -> Option<&str> {
    let (inner, tail) = braces(text.strip_prefix('$')?)?;
    tail.is_empty().then_some(inner)
}

/// Splits `{inner}tail`, minding nested braces.
fn braces(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_prefix('{')?;
    let mut depth = 1usize;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let (inner, tail) = body.split_at_checked(at)?;
            return Some((inner, tail.strip_prefix('}')?));
        }
    }
    None
}

fn is_scheme(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
