//! `${env:VAR:-default}` in values, by the OTel Collector's rules.
//!
//! Knows: `${env:V}`, `${V}`, `${env:V:-default}` (defaults may nest), `$$` for a dollar sign; a naked `$V` stays. A
//! value that is nothing but one substitution is YAML again; inside other text it is text. Must not know: keys. Start
//! at [`substitute`].

use super::tree::{Mark, Node, Scalar, Value};
use super::{ConfigError, ConfigErrors, parse_value};

/// Defaults inside defaults.
const DEPTH_MAX: usize = 16;

/// Replaces substitutions in all values below `node`; `env` looks variables up. A variable that is not set and has no
/// default becomes nothing, with a warning in the log.
pub fn substitute(node: &mut Node, env: &dyn Fn(&str) -> Option<String>, errors: &mut ConfigErrors) {
    match &mut node.value {
        Value::Null => {}
        Value::Seq(items) => items.iter_mut().for_each(|item| substitute(item, env, errors)),
        Value::Map(entries) => entries.iter_mut().for_each(|e| substitute(&mut e.node, env, errors)),
        Value::Scalar(scalar) if scalar.text.contains('$') => {
            let expander = Expander { env, mark: &node.mark };
            match expander.value(scalar) {
                Ok(value) => node.value = value,
                Err(error) => errors.push(error),
            }
        }
        Value::Scalar(_) => {}
    }
}

struct Expander<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    mark: &'a Mark,
}

impl Expander<'_> {
    fn value(&self, scalar: &Scalar) -> Result<Value, ConfigError> {
        let whole = scalar
            .text
            .strip_prefix("${")
            .and_then(|rest| close(rest).map(|(inside, after)| (inside, after.is_empty())))
            .and_then(|(inside, is_whole)| is_whole.then_some(inside));
        let Some(inside) = whole else {
            let text = self.text(&scalar.text, 0)?;
            let plain = scalar.plain && !scalar.text.contains("${");
            return Ok(Value::Scalar(Scalar { text, plain }));
        };
        let text = self.variable(inside, 0)?;
        match parse_value(&text, &self.mark.file) {
            Ok(Node { value: Value::Scalar(parsed), .. }) if parsed.plain => {
                Ok(Value::Scalar(Scalar { text, plain: true }))
            }
            Ok(node) => Ok(node.value),
            Err(_not_yaml) => Ok(Value::Scalar(Scalar { text, plain: false })),
        }
    }

    fn text(&self, text: &str, depth: usize) -> Result<String, ConfigError> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(next) = after.strip_prefix('$') {
                out.push('$');
                rest = next;
            } else if let Some(opened) = after.strip_prefix('{') {
                let (inside, next) = close(opened)
                    .ok_or_else(|| self.mark.error("", format!("`{text}` has no closing brace")))?;
                out.push_str(&self.variable(inside, depth)?);
                rest = next;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn variable(&self, inside: &str, depth: usize) -> Result<String, ConfigError> {
        let body = match inside.split_once(':') {
            Some(("env", body)) => body,
            Some((_, default)) if default.starts_with('-') => inside,
            Some((scheme, _)) => {
                let message = format!("`${{{inside}}}`: scheme `{scheme}` is not supported, only `env` is");
                return Err(self.mark.error("", message));
            }
            None => inside,
        };
        let (name, default) = match body.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (body, None),
        };
        if !is_name(name) {
            let rule = "must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$";
            return Err(self
                .mark
                .error("", format!("environment variable \"{name}\" has invalid name: {rule}")));
        }
        match ((self.env)(name), default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) if depth < DEPTH_MAX => self.text(default, depth + 1),
            (None, Some(_)) => Err(self.mark.error("", format!("defaults nest deeper than {DEPTH_MAX}"))),
            (None, None) => {
                let (file, line) = (&*self.mark.file, self.mark.line);
                tracing::warn!(file, line, variable = name, "environment variable is not set, using nothing");
                Ok(String::new())
            }
        }
    }
}

/// Splits `a${b}c}rest` (after an opening brace) into `a${b}c` and `rest`.
fn close(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn check(yaml: &str, expect: &str) {
        let env = |name: &str| match name {
            "PORT" => Some("4317".to_owned()),
            "ZIP" => Some("0123".to_owned()),
            "LIST" => Some("[a, b]".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let mut node = parse(&format!("k: {yaml}"), "f.yaml").unwrap();
        let mut errors = ConfigErrors::default();
        substitute(&mut node, &env, &mut errors);
        let got = match errors.0.first() {
            Some(error) => error.to_string(),
            None => match &node.get("k").unwrap().value {
                Value::Null => "null".to_owned(),
                Value::Scalar(s) => format!("{}{}", s.text, if s.plain { "" } else { " (text)" }),
                Value::Seq(items) => format!("list of {}", items.len()),
                Value::Map(entries) => format!("map of {}", entries.len()),
            },
        };
        assert_eq!(got, expect, "{yaml}");
    }

    #[test]
    fn substitutions_follow_the_collector() {
        check("${env:PORT}", "4317");
        check("${PORT}", "4317");
        check("localhost:${env:PORT}", "localhost:4317 (text)");
        check("${env:ZIP}", "0123");
        check("${env:LIST}", "list of 2");
        check("${env:EMPTY}", "null");
        check("${env:NONE}", "null");
        check("${env:NONE:-}", "null");
        check("${env:NONE:-fallback}", "fallback");
        check("${NONE:-fallback}", "fallback");
        check("${env:NONE:-${env:PORT}}", "4317");
        check("\"x ${env:NONE:-${env:NONE:-deep}} y\"", "x deep y (text)");
        check("$$PORT", "$PORT");
        check("$${env:PORT}", "${env:PORT} (text)");
        check("$PORT", "$PORT");
        check("\"${env:PORT\"", "f.yaml:1: `${env:PORT` has no closing brace");
        check(
            "${env:1A}",
            "f.yaml:1: environment variable \"1A\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$",
        );
        check("${yaml:a}", "f.yaml:1: `${yaml:a}`: scheme `yaml` is not supported, only `env` is");
    }
}
