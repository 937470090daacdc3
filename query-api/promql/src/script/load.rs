//! `load`: series with a value every so often, and when their counters started.
//!
//! Knows: the lines of a load command. Must not know: what storage makes of them (`stored`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::series::{self, SequenceValue};
use super::{Lines, ScriptError, wrong};
use crate::histogram::FloatHistogram;
use crate::labels::Labels;
use crate::number::parse_millis;

/// The value of a sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Loaded {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// A sample to be stored: time, start of its counter (0 if unknown), value.
pub(super) type Sample = (i64, i64, Loaded);

/// A load command.
#[derive(Debug, Clone)]
pub struct Load {
    /// Series and their samples; of two lines for a series the later one counts.
    pub(super) series: BTreeMap<Labels, Vec<Sample>>,
    /// Whether classic histograms are also loaded as native ones with custom bounds.
    pub(super) with_custom_histograms: bool,
}

/// Offsets of starts from their samples, in milliseconds.
type Starts = Vec<Option<i64>>;

pub(super) fn parse(number: usize, line: &str, lines: &mut Lines<'_>) -> Result<Load, ScriptError> {
    let (command, step) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let with_custom_histograms = match command {
        "load" => false,
        "load_with_nhcb" => true,
        _ => return Err(wrong(number, "invalid load command. (load[_with_nhcb] <step:duration>)")),
    };
    let step =
        parse_millis(step.trim()).map_err(|e| wrong(number, format!("invalid step definition: {e}")))?;
    let mut load = Load { series: BTreeMap::new(), with_custom_histograms };
    let mut usual: Starts = Vec::new();
    let mut pending: Option<(usize, Labels, Starts)> = None;
    while let Some((number, line)) = lines.next_of_block() {
        let (head, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        if let Some(metric) = head.strip_suffix("@st") {
            if let Some((number, ..)) = pending {
                return Err(wrong(number, "@st line has no following sample line"));
            }
            let starts = starts(rest).map_err(|e| wrong(number, format!("invalid @st sequence: {e}")))?;
            if metric.is_empty() {
                usual = starts;
            } else {
                let labels = crate::parse::metric(metric).map_err(|e| wrong(number, e.to_string()))?;
                pending = Some((number, labels, starts));
            }
            continue;
        }
        let (labels, values) = series::parse(line).map_err(|e| wrong(number, e))?;
        let own = match pending.take() {
            Some((number, of, _)) if of != labels => {
                return Err(wrong(number, "@st metric does not match the following sample line metric"));
            }
            Some((number, _, starts)) if starts.len() != values.len() => {
                let (starts, values) = (starts.len(), values.len());
                return Err(wrong(
                    number,
                    format!("@st line has {starts} values but sample line has {values}"),
                ));
            }
            other => other.map(|(.., starts)| starts),
        };
        load.series.insert(labels, samples(&values, step, own.as_deref(), &usual));
    }
    match pending {
        Some((number, ..)) => Err(wrong(number, "@st line has no following sample line")),
        None => Ok(load),
    }
}

fn samples(
    values: &[SequenceValue],
    step: i64,
    own: Option<&[Option<i64>]>,
    usual: &[Option<i64>],
) -> Vec<Sample> {
    let start_of = |i: usize| match own {
        Some(own) => own.get(i).copied().flatten(),
        None => usual.get(i.checked_rem(usual.len())?).copied().flatten(),
    };
    let times = (0i64..).map(|i| i.saturating_mul(step));
    let sample = |(i, (time, value)): (usize, (i64, &SequenceValue))| {
        let value = match value {
            SequenceValue::Omitted => return None,
            SequenceValue::Float(v) => Loaded::Float(*v),
            SequenceValue::Histogram { histogram, .. } => Loaded::Histogram(histogram.clone()),
        };
        Some((time, start_of(i).map_or(0, |offset| time + offset), value))
    };
    times.zip(values).enumerate().filter_map(sample).collect()
}

/// `_`, `_xN`, `*`, `*xN`, `d`, `dxN`, `d+exN`, `d-exN` with durations *d*, *e*; `*` is the last one again.
fn starts(text: &str) -> Result<Starts, String> {
    let mut all: Starts = Vec::new();
    for item in text.split_ascii_whitespace() {
        let malformed = || format!("invalid ST item {}", crate::quote::quoted(item));
        let (head, times) = match item.split_once('x') {
            Some((head, times)) => (head, Some(times.parse::<usize>().ok().ok_or_else(malformed)?)),
            None => (item, None),
        };
        match head {
            "_" => all.extend((0..times.unwrap_or(1)).map(|_| None)),
            "*" => {
                let last = all.iter().rev().find_map(|s| *s).unwrap_or(0);
                all.extend((0..=times.unwrap_or(0)).map(|_| Some(last)));
            }
            _ => {
                let (first, rest) = signed_millis(head).ok_or_else(malformed)?;
                let step = match rest {
                    "" => 0,
                    rest => match signed_millis(rest) {
                        Some((step, "")) if times.is_some() => step,
                        _ => return Err(malformed()),
                    },
                };
                let times = i64::try_from(times.unwrap_or(0)).ok().ok_or_else(malformed)?;
                all.extend((0..=times).map(|i| Some(first + i * step)));
            }
        }
    }
    Ok(all)
}

/// A duration with or without a sign, and what follows it.
fn signed_millis(text: &str) -> Option<(i64, &str)> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    let letters = body.bytes().skip(digits).take_while(u8::is_ascii_alphabetic).count();
    let (duration, rest) = body.split_at_checked(digits + letters)?;
    let millis = parse_millis(duration).ok()?;
    Some((if text.starts_with('-') { -millis } else { millis }, rest))
}
