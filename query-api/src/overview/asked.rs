//! What the pages ask: a window, what to compare it with, and steps.
//!
//! Knows: the parameters that all endpoints share, and their bounds. Must not know: sums. Start at [`Asked::read`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::jaeger::now;
use crate::jaeger::params::Params;
use crate::jaeger::refusal::Refusal;

pub(super) const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
/// Points that a chart may have.
const STEPS_MAX: u64 = 2_000;
/// Points of a chart whose step nobody chose.
const STEPS_DEFAULT: u64 = 60;

/// A window in whole minutes, with the steps of its charts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Unix ns.
    pub(super) start: u64,
    /// Unix ns, exclusive.
    pub(super) end: u64,
    /// The window that it is compared with.
    pub(super) compare: Option<(u64, u64)>,
    pub(super) step_minutes: u32,
}

impl Asked {
    /// Reads `start`, `end`, `compareStart`, `compareEnd` (Unix ns) and `step` (s). Without `end` the window ends now, without
    /// `start` it is an hour. Steps are whole minutes, and at most 2,000 of them.
    ///
    /// # Errors
    /// A number that is none, a window that ends before it starts, too many steps.
    pub(super) fn read(params: &Params) -> Result<Self, Refusal> {
        let end = nanos(params, "end")?.unwrap_or_else(now);
        let start = nanos(params, "start")?.unwrap_or_else(|| end.saturating_sub(HOUR));
        let compare = match (nanos(params, "compareStart")?, nanos(params, "compareEnd")?) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            _ => return Err(Refusal::invalid("compareStart and compareEnd go together")),
        };
        for (from, to) in [Some((start, end)), compare].into_iter().flatten() {
            if from >= to {
                return Err(Refusal::invalid(format!("the window from {from} to {to} is empty")));
            }
        }
        let minutes = end.div_ceil(MINUTE).saturating_sub(start / MINUTE);
        let step = match nanos(params, "step")? {
            Some(0) => return Err(Refusal::invalid("step is 0, expected seconds")),
            Some(seconds) => seconds.div_ceil(60),
            None => minutes.div_ceil(STEPS_DEFAULT),
        };
        if minutes.div_ceil(step) > STEPS_MAX {
            let message =
                format!("a step of {} s makes more than {STEPS_MAX} points of the window", step * 60);
            return Err(Refusal::invalid(message));
        }
        let step_minutes = u32::try_from(step).map_err(|_long| Refusal::invalid("step is too long"))?;
        Ok(Self { start, end, compare, step_minutes })
    }

    /// How many steps the charts have.
    pub(super) fn steps(&self) -> u32 {
        let minutes = self.end.div_ceil(MINUTE).saturating_sub(self.start / MINUTE);
        u32::try_from(minutes.div_ceil(u64::from(self.step_minutes))).unwrap_or(u32::MAX)
    }

    /// When a step begins, Unix ns.
    pub(super) fn begin_of(&self, step: u32) -> u64 {
        (self.start / MINUTE + u64::from(step) * u64::from(self.step_minutes)) * MINUTE
    }

    /// The window as every answer repeats it.
    pub(super) fn fields(&self) -> BTreeMap<String, Value> {
        BTreeMap::from([
            ("start".to_owned(), self.start.to_string().into()),
            ("end".to_owned(), self.end.to_string().into()),
            ("stepSeconds".to_owned(), (u64::from(self.step_minutes) * 60).into()),
        ])
    }
}

fn nanos(params: &Params, key: &str) -> Result<Option<u64>, Refusal> {
    match params.get(key) {
        "" => Ok(None),
        text => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(e) => Err(Refusal::invalid(format!("{key} is `{text}`, expected a whole number: {e}"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Asked, String> {
        Asked::read(&Params::parse(Some(query))).map_err(|refusal| refusal.message().to_owned())
    }

    #[test]
    fn windows_are_read_in_whole_minutes_and_bounded() {
        let hour = read("start=60000000000&end=3660000000001&step=90").unwrap();
        assert_eq!((hour.step_minutes, hour.steps(), hour.begin_of(3)), (2, 31, 7 * MINUTE));
        let day = read("start=0&end=86400000000000").unwrap();
        assert_eq!((day.step_minutes, day.steps(), day.compare), (24, 60, None));
        let check = |query: &str, expect: &str| assert!(read(query).unwrap_err().contains(expect), "{query}");
        check("start=x", "start is `x`, expected a whole number");
        check("start=5&end=5", "is empty");
        check("start=0&end=9&compareStart=4", "go together");
        check("start=0&end=9&compareStart=4&compareEnd=2", "is empty");
        check("start=0&end=9&step=0", "step is 0");
        check("start=0&end=864000000000000&step=60", "more than 2000 points");
    }
}
