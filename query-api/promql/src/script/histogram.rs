//! Histograms as scripts write them: `{{schema:1 sum:3 count:22 buckets:[5 10 7]}}`.

use super::series::number;
use crate::histogram::{Buckets, FloatHistogram, ResetHint, Span};

/// A histogram, and whether its hint was written.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) histogram: FloatHistogram,
    pub(super) hinted: bool,
}

/// Reads the histogram that `text` starts with; gives what follows it.
pub(super) fn parse(text: &str) -> Result<(Described, &str), String> {
    let (inner, rest) = text
        .strip_prefix("{{")
        .and_then(|t| t.split_once("}}"))
        .ok_or_else(|| format!("histogram description incomplete: {}", crate::quote::quoted(text)))?;
    let mut fields = Fields::default();
    let mut left = inner.trim();
    while !left.is_empty() {
        let (key, value) = left.split_once(':').ok_or("missing `:` for histogram descriptor")?;
        left = fields.set(key.trim(), value)?.trim_start();
    }
    Ok((fields.finish(), rest))
}

#[derive(Default)]
struct Fields {
    histogram: FloatHistogram,
    hinted: bool,
    seen: Vec<String>,
    offsets: [i32; 2],
    buckets: [Vec<f64>; 2],
}

impl Fields {
    fn set<'a>(&mut self, key: &str, text: &'a str) -> Result<&'a str, String> {
        let key = key.to_ascii_lowercase();
        if self.seen.contains(&key) {
            return Err(format!("duplicate key {} in histogram", crate::quote::quoted(&key)));
        }
        let h = &mut self.histogram;
        let rest = match key.as_str() {
            "schema" => integer(text, &mut h.schema)?,
            "offset" => integer(text, &mut self.offsets[0])?,
            "n_offset" => integer(text, &mut self.offsets[1])?,
            "sum" => float(text, &mut h.sum)?,
            "count" => float(text, &mut h.count)?,
            "z_bucket" => float(text, &mut h.zero_count)?,
            "z_bucket_w" => float(text, &mut h.zero_threshold)?,
            "buckets" => list(text, &mut self.buckets[0])?,
            "n_buckets" => list(text, &mut self.buckets[1])?,
            "custom_values" => {
                let mut values = Vec::new();
                let rest = list(text, &mut values)?;
                h.custom_values = values.into();
                rest
            }
            "counter_reset_hint" => {
                let end = text.find(' ').unwrap_or(text.len());
                let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
                h.hint = match word.to_ascii_lowercase().as_str() {
                    "unknown" => ResetHint::Unknown,
                    "reset" => ResetHint::Reset,
                    "not_reset" => ResetHint::NotReset,
                    "gauge" => ResetHint::Gauge,
                    _ => {
                        return Err(format!(
                            "bad histogram descriptor found: {}",
                            crate::quote::quoted(word)
                        ));
                    }
                };
                self.hinted = true;
                rest
            }
            _ => return Err(format!("bad histogram descriptor found: {}", crate::quote::quoted(&key))),
        };
        self.seen.push(key);
        Ok(rest)
    }

    fn finish(mut self) -> Described {
        let [positive, negative] = &self.buckets;
        let side = |offset: i32, counts: &[f64]| {
            let length = u32::try_from(counts.len()).unwrap_or(u32::MAX);
            Buckets::from_spans(&[Span { offset, length }], counts)
        };
        self.histogram.positive = side(self.offsets[0], positive);
        self.histogram.negative = side(self.offsets[1], negative);
        Described { histogram: self.histogram, hinted: self.hinted }
    }
}

fn float<'a>(text: &'a str, into: &mut f64) -> Result<&'a str, String> {
    let (value, rest) = number(text)?;
    *into = value;
    Ok(rest)
}

fn integer<'a>(text: &'a str, into: &mut i32) -> Result<&'a str, String> {
    let end = text.find(' ').unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    *into = digits.parse().map_err(|e| format!("{}: {e}", crate::quote::quoted(digits)))?;
    Ok(rest)
}

fn list<'a>(text: &'a str, into: &mut Vec<f64>) -> Result<&'a str, String> {
    let (inner, rest) =
        text.strip_prefix('[').and_then(|t| t.split_once(']')).ok_or("missing bucket list")?;
    for word in inner.split_ascii_whitespace() {
        let (value, left) = number(word)?;
        if !left.is_empty() {
            return Err(format!("invalid character in buckets description: {}", crate::quote::quoted(word)));
        }
        into.push(value);
    }
    Ok(rest)
}
