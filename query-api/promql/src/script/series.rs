//! Series with values: `metric{label="x"} 1 2+1x3 _ stale {{count:1}}`.
//!
//! Knows: the notations of values. Must not know: times. Start at [`parse`].

use std::sync::Arc;

use crate::histogram::FloatHistogram;
use crate::labels::Labels;
use crate::script::histogram::{self, Described};
use crate::value::STALE_NAN;

/// More values than any script needs; a typing error must not fill the memory.
const VALUES_MAX: u64 = 1_000_000;

/// One value of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum SequenceValue {
    /// `_`: none.
    Omitted,
    /// A number, or the end of the series.
    Float(f64),
    /// A histogram.
    Histogram {
        /// The histogram.
        histogram: Arc<FloatHistogram>,
        /// Whether its hint was written, and so is to be compared.
        hinted: bool,
    },
}

/// Reads a series and its values.
pub(super) fn parse(text: &str) -> Result<(Labels, Vec<SequenceValue>), String> {
    let (labels, end) = crate::parse::metric_prefix(text).map_err(|e| e.to_string())?;
    let rest = text.get(end..).unwrap_or_default();
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return Err(format!("unexpected {} after metric", crate::quote::quoted(rest)));
    }
    Ok((labels, values(rest)?))
}

fn values(text: &str) -> Result<Vec<SequenceValue>, String> {
    let mut rest = text.trim_start();
    let mut values = Vec::new();
    while !rest.is_empty() {
        rest = item(rest, &mut values)?;
        if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
            return Err(format!("unexpected {} in series values", crate::quote::quoted(rest)));
        }
        rest = rest.trim_start();
    }
    Ok(values)
}

/// Reads one item, which may stand for many values; gives what follows it.
fn item<'a>(text: &'a str, values: &mut Vec<SequenceValue>) -> Result<&'a str, String> {
    if let Some(rest) = text.strip_prefix('_') {
        let (times, rest) = repetition(rest)?;
        values.extend((0..times.unwrap_or(1)).map(|_| SequenceValue::Omitted));
        return Ok(rest);
    }
    if let Some(rest) = text.strip_prefix("stale") {
        values.push(SequenceValue::Float(STALE_NAN));
        return Ok(rest);
    }
    if text.starts_with("{{") { histogram_item(text, values) } else { number_item(text, values) }
}

/// `xN`, if it is there.
fn repetition(text: &str) -> Result<(Option<u64>, &str), String> {
    let Some(rest) = text.strip_prefix('x') else { return Ok((None, text)) };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (count, rest) = rest.split_at_checked(digits).unwrap_or((rest, ""));
    match count.parse() {
        Ok(count) if count <= VALUES_MAX => Ok((Some(count), rest)),
        _ => Err(format!("invalid repetition in series values: {}", crate::quote::quoted(text))),
    }
}

/// `a`, `axN` (N + 1 times), `a+bxN`, `a-bxN`.
fn number_item<'a>(text: &'a str, values: &mut Vec<SequenceValue>) -> Result<&'a str, String> {
    let (mut value, rest) = number(text)?;
    let (step, rest) = match rest.starts_with(['+', '-']) {
        true => number(rest).map(|(step, rest)| (Some(step), rest))?,
        false => (None, rest),
    };
    let (times, rest) = repetition(rest)?;
    if step.is_some() && times.is_none() {
        return Err(format!("missing repetition in {}", crate::quote::quoted(text)));
    }
    for _ in 0..=times.unwrap_or(0) {
        values.push(SequenceValue::Float(value));
        value += step.unwrap_or(0.0);
    }
    Ok(rest)
}

/// A number with or without a sign.
pub(super) fn number(text: &str) -> Result<(f64, &str), String> {
    let malformed = || {
        format!("unexpected {} in series values, expected number or \"stale\"", crate::quote::quoted(text))
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    let body = text.get(sign..).unwrap_or_default();
    let word = body.get(..3).filter(|w| w.eq_ignore_ascii_case("inf") || w.eq_ignore_ascii_case("nan"));
    let length = match word {
        Some(word) => word.len(),
        None => number_length(body),
    };
    let (number, rest) = text.split_at_checked(sign + length).ok_or_else(malformed)?;
    let value =
        crate::number::parse(number).or_else(|| crate::number::float(number)).ok_or_else(malformed)?;
    Ok((value, rest))
}

/// Digits, points and exponents; a sign only behind an exponent's `e`.
fn number_length(text: &str) -> usize {
    let mut before = ' ';
    let belongs = |c: char| {
        let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        let yes = sign || c.is_ascii_digit() || matches!(c, '.' | '_' | 'e' | 'E');
        before = c;
        yes
    };
    text.chars()
        .take_while({
            let mut belongs = belongs;
            move |c| belongs(*c)
        })
        .count()
}

/// `{{…}}`, `{{…}}xN`, `{{…}}+{{…}}xN`, `{{…}}-{{…}}xN`.
fn histogram_item<'a>(text: &'a str, values: &mut Vec<SequenceValue>) -> Result<&'a str, String> {
    let (first, rest) = histogram::parse(text)?;
    let mut push = |Described { histogram, hinted }: Described| {
        values.push(SequenceValue::Histogram { histogram: Arc::new(histogram), hinted });
    };
    let negative = rest.starts_with("-{{");
    if !negative && !rest.starts_with("+{{") {
        let (times, rest) = repetition(rest)?;
        (0..=times.unwrap_or(0)).for_each(|_| push(first.clone()));
        return Ok(rest);
    }
    let (step, rest) = histogram::parse(rest.get(1..).unwrap_or_default())?;
    let (times, rest) = repetition(rest)?;
    let times = times.ok_or_else(|| format!("missing repetition in {}", crate::quote::quoted(text)))?;
    let mut current = first.histogram.clone();
    push(Described { histogram: current.clone(), hinted: step.hinted });
    for _ in 0..times {
        let done = if negative { current.sub(&step.histogram) } else { current.add(&step.histogram) };
        done.map_err(|e| e.to_string())?;
        push(Described { histogram: current.clone(), hinted: step.hinted });
    }
    Ok(rest)
}
