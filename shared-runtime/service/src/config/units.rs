//! Durations and sizes as people write them: `1m30s`, `15d`, `16MiB`.
//!
//! Knows: unit names. Must not know: keys. Start at [`Period`] and [`Size`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds per unit, longest first; Go's units (as in the OTel Collector's files) and Prometheus' `d` and `w`.
const PERIODS: [(&str, u64); 9] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Bytes per unit, largest first.
const SIZES: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// A length of time, written as `300ms`, `1m30s`, `15d`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// A number of bytes, written as `4096`, `16MiB`, `1.5GiB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Text that is no duration or size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {expected}")]
pub struct UnitError {
    text: String,
    expected: &'static str,
}

impl FromStr for Period {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let nanos = if text == "0" { Some(0) } else { sum(text, &PERIODS) };
        nanos.map(|n| Self(Duration::from_nanos(n))).ok_or_else(|| UnitError {
            text: text.to_owned(),
            expected: "duration such as `300ms`, `1m30s` or `15d`",
        })
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bytes = text.parse().ok().or_else(|| sum(text, &SIZES));
        bytes.map(Self).ok_or_else(|| UnitError {
            text: text.to_owned(),
            expected: "size such as `4096`, `64KiB` or `16MiB`",
        })
    }
}

/// Adds up `<number><unit>` pairs; `None` when something else stands there or it overflows.
fn sum(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(number_len)?;
        let unit_len = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_len)?;
        let scale = units.iter().find(|(name, _)| *name == unit.trim())?.1;
        total = total.checked_add(scaled(number, scale)?)?;
        rest = next;
    }
    Some(total)
}

/// `number × scale` for a decimal number, rounded down.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let read = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
    let below_one = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = u128::from(scale) * u128::from(read(fraction)?) / below_one;
    read(whole)?.checked_mul(scale)?.checked_add(u64::try_from(part).ok()?)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, nanos) in PERIODS.iter().filter(|(unit, _)| *unit != "w" && *unit != "µs") {
            if rest >= *nanos {
                write!(f, "{}{unit}", rest / nanos)?;
                rest %= nanos;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = SIZES.iter().take(4).find(|(_, scale)| self.0 >= *scale && self.0.is_multiple_of(*scale));
        match unit {
            Some((name, scale)) => write!(f, "{}{name}", self.0 / scale),
            None => write!(f, "{}", self.0),
        }
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

as_text!(Period);
as_text!(Size);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_people_do() {
        let check = |text: &str, expect: &str| match text.parse::<Period>() {
            Ok(period) => assert_eq!(period.to_string(), expect, "{text}"),
            Err(e) => assert_eq!(e.to_string(), expect, "{text}"),
        };
        check("300ms", "300ms");
        check("1m30s", "1m30s");
        check("90s", "1m30s");
        check("2w", "14d");
        check("1.5h", "1h30m");
        check("0", "0s");
        check("0.25s", "250ms");
        check("5", "`5` is not a duration such as `300ms`, `1m30s` or `15d`");
        check("5 minutes", "`5 minutes` is not a duration such as `300ms`, `1m30s` or `15d`");
        check("-1s", "`-1s` is not a duration such as `300ms`, `1m30s` or `15d`");
        check("99999999w", "`99999999w` is not a duration such as `300ms`, `1m30s` or `15d`");
        check("", "`` is not a duration such as `300ms`, `1m30s` or `15d`");
    }

    #[test]
    fn sizes_are_read_and_written_as_people_do() {
        let check = |text: &str, expect: &str| match text.parse::<Size>() {
            Ok(size) => assert_eq!(size.to_string(), expect, "{text}"),
            Err(e) => assert_eq!(e.to_string(), expect, "{text}"),
        };
        check("4096", "4KiB");
        check("16MiB", "16MiB");
        check("1.5GiB", "1536MiB");
        check("1000", "1000");
        check("2MB", "2000000");
        check("16 MiB", "16MiB");
        check("much", "`much` is not a size such as `4096`, `64KiB` or `16MiB`");
    }
}
