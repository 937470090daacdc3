//! Histograms as text: for people, and as the test language writes them.

use std::fmt;

use super::{Bucket, Buckets, FloatHistogram, ResetHint};
use crate::number::general;

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        write!(f, "{open}{},{}{close}:{}", general(self.lower), general(self.upper), general(self.count))
    }
}

impl fmt::Display for FloatHistogram {
    /// `{count:…, sum:…, [lower,upper):count, …}`, empty buckets left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", general(self.count), general(self.sum))?;
        let zero = (self.zero_count != 0.0).then(|| self.zero_bucket());
        for bucket in self.negative_buckets().rev().chain(zero).chain(self.positive_buckets()) {
            if bucket.count != 0.0 {
                write!(f, ", {bucket}")?;
            }
        }
        f.write_str("}")
    }
}

impl FloatHistogram {
    /// As the test language writes it: `{{schema:1 count:2 sum:3 buckets:[1 1]}}`.
    #[must_use]
    pub fn test_expression(&self) -> String {
        let mut parts = Vec::new();
        if self.schema != 0 {
            parts.push(format!("schema:{}", self.schema));
        }
        for (key, value) in [
            ("count", self.count),
            ("sum", self.sum),
            ("z_bucket", self.zero_count),
            ("z_bucket_w", self.zero_threshold),
        ] {
            if value != 0.0 {
                parts.push(format!("{key}:{}", general(value)));
            }
        }
        if self.uses_custom_buckets() {
            parts.push(format!("custom_values:{}", list(self.custom_values.iter().copied())));
        }
        match self.hint {
            ResetHint::Unknown => {}
            ResetHint::Reset => parts.push("counter_reset_hint:reset".to_owned()),
            ResetHint::NotReset => parts.push("counter_reset_hint:not_reset".to_owned()),
            ResetHint::Gauge => parts.push("counter_reset_hint:gauge".to_owned()),
        }
        side(&mut parts, &self.positive, "offset", "buckets");
        side(&mut parts, &self.negative, "n_offset", "n_buckets");
        format!("{{{{{}}}}}", parts.join(" "))
    }
}

/// One run of buckets from the first that holds something to the last; beyond reason long runs are cut.
fn side(parts: &mut Vec<String>, buckets: &Buckets, offset: &str, key: &str) {
    const RUN_MAX: usize = 10_000;
    let mut full = buckets.iter().filter(|(_, count)| *count != 0.0).map(|(index, _)| index);
    let Some(first) = full.next() else { return };
    let last = full.next_back().unwrap_or(first);
    if first != 0 {
        parts.push(format!("{offset}:{first}"));
    }
    let counts = (first..=last).take(RUN_MAX).map(|index| buckets.get(index).unwrap_or(0.0));
    parts.push(format!("{key}:{}", list(counts)));
}

fn list(values: impl Iterator<Item = f64>) -> String {
    format!("[{}]", values.map(general).collect::<Vec<_>>().join(" "))
}
