//! `eval` and `expect`: what is evaluated, and what should come out.
//!
//! Knows: the lines of an evaluation. Must not know: how results are compared (`compare`).

use std::collections::BTreeMap;

use super::series::{self, SequenceValue};
use super::{Lines, ScriptError, wrong};
use crate::labels::Labels;
use crate::number::parse_millis;

/// At which times an expression is evaluated, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once.
    Instant(i64),
    /// From the first to the second, the third apart.
    Range(i64, i64, i64),
}

/// How a message is compared.
#[derive(Debug, Clone)]
pub enum Match {
    /// Any will do.
    Any,
    /// Word for word.
    Text(String),
    /// By a regular expression, anywhere in the message.
    Regex(regex::Regex),
}

impl Match {
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(text) => text == message,
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

/// What is expected besides values.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// The evaluation fails, with such a message.
    pub fail: Option<Match>,
    /// Each of these warnings comes, and no other if there are any here.
    pub warn: Vec<Match>,
    /// Each of these infos comes, and no other if there are any here.
    pub info: Vec<Match>,
    /// No warning comes.
    pub no_warn: bool,
    /// No info comes.
    pub no_info: bool,
    /// The series come in this order.
    pub ordered: bool,
}

/// An evaluation.
#[derive(Debug, Clone)]
pub struct Eval {
    /// Line of the script, from 1.
    pub line: usize,
    /// What is evaluated.
    pub expr: String,
    /// At which times.
    pub when: When,
    /// What is expected besides values.
    pub expect: Expectation,
    /// The expected series, their positions (from 1) and values.
    pub(super) series: BTreeMap<Labels, (usize, Vec<SequenceValue>)>,
    /// The expected number, if the result is a scalar.
    pub(super) scalar: Option<f64>,
    /// The expected text, if the result is one.
    pub(super) text: Option<String>,
    /// Start, end and step of the values if an instant evaluation gives a range vector.
    pub(super) range_vector: Option<(i64, i64, i64)>,
}

pub(super) fn parse(number: usize, line: &str, lines: &mut Lines<'_>) -> Result<Eval, ScriptError> {
    let (head, expr, when) = command(line).map_err(|e| wrong(number, e))?;
    let mut eval = Eval {
        line: number,
        expr: expr.to_owned(),
        when,
        expect: Expectation::default(),
        series: BTreeMap::new(),
        scalar: None,
        text: None,
        range_vector: None,
    };
    match head {
        "eval" => {}
        "eval_fail" => eval.expect.fail = Some(Match::Any),
        "eval_warn" => eval.expect.warn.push(Match::Any),
        "eval_info" => eval.expect.info.push(Match::Any),
        "eval_ordered" => eval.expect.ordered = true,
        _ => return Err(wrong(number, format!("invalid command {}", crate::quote::quoted(head)))),
    }
    while let Some((number, line)) = lines.next_of_block() {
        let done = eval.expected(line).map_err(|e| wrong(number, e))?;
        if done {
            break;
        }
    }
    Ok(eval)
}

/// Takes the next word of a text.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let text = rest.trim_start();
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (word, after) = text.split_at_checked(end).unwrap_or((text, ""));
    *rest = after;
    word
}

fn keyword(rest: &mut &str, expected: &str) -> Result<(), String> {
    match word(rest) {
        w if w == expected => Ok(()),
        w => Err(format!("expected {expected}, got {}", crate::quote::quoted(w))),
    }
}

fn time(rest: &mut &str) -> Result<i64, String> {
    let text = word(rest);
    parse_millis(text).map_err(|e| format!("invalid time definition {}: {e}", crate::quote::quoted(text)))
}

fn from_to_step(rest: &mut &str) -> Result<(i64, i64, i64), String> {
    keyword(rest, "from")?;
    let from = time(rest)?;
    keyword(rest, "to")?;
    let to = time(rest)?;
    keyword(rest, "step")?;
    let step = time(rest)?;
    if to < from {
        return Err("invalid test definition, end timestamp is before start timestamp".to_owned());
    }
    Ok((from, to, step))
}

/// Command, expression and times of an evaluation's first line.
fn command(line: &str) -> Result<(&str, &str, When), String> {
    let mut rest = line;
    let head = word(&mut rest);
    let when = match word(&mut rest) {
        "instant" => {
            keyword(&mut rest, "at")?;
            When::Instant(time(&mut rest)?)
        }
        "range" => {
            let (from, to, step) = from_to_step(&mut rest)?;
            When::Range(from, to, step)
        }
        other => return Err(format!("expected instant or range, got {}", crate::quote::quoted(other))),
    };
    Ok((head, rest.trim(), when))
}

impl Eval {
    /// Reads a line of what is expected; says whether it is the last.
    fn expected(&mut self, line: &str) -> Result<bool, String> {
        for (prefix, regex) in [("expected_fail_message", false), ("expected_fail_regexp", true)] {
            if let Some(text) = line.strip_prefix(prefix) {
                self.expect.fail = Some(matching(regex, text)?);
                return Ok(true);
            }
        }
        if let Some(mut times) = line.strip_prefix("expect range vector") {
            self.range_vector = Some(from_to_step(&mut times)?);
            return Ok(false);
        }
        if let Some(text) = line.strip_prefix("expect string") {
            let text = crate::quote::unquoted(text.trim());
            self.text = Some(
                text.ok_or("expected string literal not valid - check that the string is correctly quoted")?,
            );
            return Ok(false);
        }
        if let Some(rest) = line.strip_prefix("expect ") {
            self.remark(rest)?;
            return Ok(false);
        }
        if let Some(number) = crate::number::parse(line) {
            self.scalar = Some(number);
            return Ok(true);
        }
        let (labels, values) = series::parse(line)?;
        if values.len() > 1 && matches!(self.when, When::Instant(_)) && self.range_vector.is_none() {
            return Err("expecting multiple values in instant evaluation not allowed".to_owned());
        }
        let position = self.series.len() + 1;
        self.series.insert(labels, (position, values));
        Ok(false)
    }

    /// `expect <kind> [msg:…|regex:…]`
    fn remark(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text;
        let kind = word(&mut rest);
        let rest = rest.trim();
        let message = if let Some(text) = rest.strip_prefix("msg:") {
            matching(false, text)?
        } else if let Some(text) = rest.strip_prefix("regex:") {
            matching(true, text)?
        } else if rest.is_empty() {
            Match::Any
        } else {
            return Err(format!("invalid token {} after {kind}", crate::quote::quoted(rest)));
        };
        let expect = &mut self.expect;
        match kind {
            "fail" if expect.fail.is_some() => {
                return Err("invalid expect lines, multiple expect fail lines are not allowed".to_owned());
            }
            "fail" => expect.fail = Some(message),
            "warn" => expect.warn.push(message),
            "info" => expect.info.push(message),
            "no_warn" => expect.no_warn = true,
            "no_info" => expect.no_info = true,
            "ordered" => expect.ordered = true,
            _ => return Err(format!("invalid expected error/annotation type {kind}")),
        }
        if (expect.no_warn && !expect.warn.is_empty()) || (expect.no_info && !expect.info.is_empty()) {
            return Err(format!("invalid expect lines, {kind} contradicts an earlier one"));
        }
        Ok(())
    }
}

fn matching(regex: bool, text: &str) -> Result<Match, String> {
    let text = text.trim();
    if !regex {
        return Ok(Match::Text(text.to_owned()));
    }
    regex::Regex::new(text).map(Match::Regex).map_err(|e| format!("invalid regex {text}: {e}"))
}
