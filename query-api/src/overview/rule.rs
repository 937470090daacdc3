//! What is broken, what is slower, and why.
//!
//! Knows: the rule, as people read it in [`TEXT`]. Must not know: how sums are asked for or written. Start at [`judge`].

mod since;
mod why;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::backend::{Call, Failures, Tally};

use super::asked::Asked;
use super::services::{Service, figures, series};

use why::Why;

/// The rule in words: returned with every overview, and explained in `docs/overview.md`.
pub(super) const TEXT: &str = "A service is judged by its SERVER and CONSUMER spans, or by all its spans if it has none. \
Broken: at least 5 errors, and an error share of 50 % or more; or, beside the compared window, a share twice as high, 1 \
percentage point higher, and further off than chance allows (3 standard errors); without a compared window a share of 5 % or \
more; or silence: no call now where the compared window had 20 or more. Slower: at least 20 calls in both windows, p95 half as \
long again and 5 ms longer. Since: the step from which on errors (or spans slower than the old p95) outnumber the middle \
between then and now. Spans that a client sent twice count twice until compaction has merged them.";

/// Fewer errors prove nothing.
const ERRORS_MIN: u64 = 5;
/// Fewer calls prove nothing.
const CALLS_MIN: u64 = 20;
/// More than this is broken, whatever it was before.
const SHARE_ALWAYS: f64 = 0.5;
/// More than this is broken when nothing is known of before.
const SHARE_ALONE: f64 = 0.05;
/// By how much a share has to be higher.
const SHARE_MORE: f64 = 0.01;
/// How many times a share has to be as high.
const SHARE_TIMES: f64 = 2.0;
/// Standard errors between two shares that are not chance.
const DEVIATIONS: f64 = 3.0;
/// How many times p95 has to be as long, and by how much longer.
const SLOWER_TIMES: f64 = 1.5;
const SLOWER_NANOS: f64 = 5e6;

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Broken,
    Slower,
    Usual,
}

/// In which way a service is not as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Errors,
    Latency,
    Silent,
}

/// A service and what is wrong with it.
#[derive(Debug)]
pub(super) struct Judged {
    service: Service,
    state: State,
    why: Option<Why>,
}

/// The share of errors; 0 without calls.
pub(super) fn share(tally: &Tally) -> f64 {
    if tally.count == 0 { 0.0 } else { tally.errors as f64 / tally.count as f64 }
}

fn p95(tally: &Tally) -> f64 {
    tally.durations.quantile(0.95).unwrap_or(0.0)
}

/// What is wrong with a service, by the rule.
pub(super) fn trouble(service: &Service) -> Option<Trouble> {
    let now = &service.now.whole;
    let then = service.then.as_ref().map(|then| &then.whole);
    if then.is_some_and(|then| then.count >= CALLS_MIN) && now.count == 0 {
        return Some(Trouble::Silent);
    }
    if now.errors >= ERRORS_MIN && has_more_errors(now, then) {
        return Some(Trouble::Errors);
    }
    let then = then.filter(|then| then.count >= CALLS_MIN && now.count >= CALLS_MIN)?;
    let (before, after) = (p95(then), p95(now));
    (after >= before * SLOWER_TIMES && after >= before + SLOWER_NANOS).then_some(Trouble::Latency)
}

fn has_more_errors(now: &Tally, then: Option<&Tally>) -> bool {
    let after = share(now);
    if after >= SHARE_ALWAYS {
        return true;
    }
    let Some(then) = then.filter(|then| then.count > 0) else { return after >= SHARE_ALONE };
    let before = share(then);
    let (n, m) = (now.count as f64, then.count as f64);
    let pooled = (now.errors + then.errors) as f64 / (n + m);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    after >= before * SHARE_TIMES && after >= before + SHARE_MORE && after - before >= DEVIATIONS * deviation
}

/// Judges all services: broken ones first, the worst on top.
pub(super) fn judge(
    asked: &Asked,
    services: Vec<Service>,
    edges: &BTreeMap<Call, Tally>,
    failures: &Failures,
) -> Vec<Judged> {
    let mut judged: Vec<Judged> = services
        .into_iter()
        .map(|service| {
            let trouble = trouble(&service);
            let state = match trouble {
                Some(Trouble::Errors | Trouble::Silent) => State::Broken,
                Some(Trouble::Latency) => State::Slower,
                None => State::Usual,
            };
            let why = trouble.map(|trouble| Why::of(trouble, asked, &service, edges, failures));
            Judged { service, state, why }
        })
        .collect();
    why::follow(asked, &mut judged, edges);
    judged.sort_by_key(|judged| (judged.state, Reverse(weight(judged)), judged.service.name.clone()));
    judged
}

/// How much is wrong: errors that came on top, calls that are missing or slow; of usual services, calls.
fn weight(judged: &Judged) -> u64 {
    let now = &judged.service.now.whole;
    let then = judged.service.then.as_ref().map(|then| &then.whole);
    match judged.why.as_ref().map(|why| why.trouble) {
        Some(Trouble::Errors) => {
            let usual = then.map_or(0.0, share) * now.count as f64;
            let more = (now.errors as f64 - usual).max(0.0);
            // a count of spans, rounded
            std::time::Duration::try_from_secs_f64(more).map_or(u64::MAX, |rounded| rounded.as_secs())
        }
        Some(Trouble::Silent) => then.map_or(0, |then| then.count),
        Some(Trouble::Latency) | None => now.count,
    }
}

impl Judged {
    /// The service as `/api/yc/v1/overview` shows it.
    pub(super) fn shown(&self, asked: &Asked) -> Value {
        let service = &self.service;
        const P95: [(&str, f64); 1] = [("p95Nano", 0.95)];
        let of_then = service.then.as_ref().zip(asked.compare).map(|(then, (start, _))| {
            let begin = start / super::asked::MINUTE * super::asked::MINUTE;
            series(asked, begin, &then.steps, service.data_from, &P95)
        });
        let mut shown = json!({
            "name": service.name,
            "basis": if service.is_asked { "server" } else { "all" },
            "then": service.then.as_ref().map(|then| figures(&then.whole)),
            "series": series(asked, asked.begin_of(0), &service.now.steps, service.data_from, &P95),
            "thenSeries": of_then,
            "state": match self.state {
                State::Broken => "broken",
                State::Slower => "slower",
                State::Usual => "usual",
            },
            "why": self.why.as_ref().map(Why::shown),
        });
        if let (Value::Object(shown), Value::Object(figures)) = (&mut shown, figures(&service.now.whole)) {
            shown.extend(figures);
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::super::services::Window;
    use super::*;

    fn tally(count: u64, errors: u64, millis: u64) -> Tally {
        let mut tally = Tally { count, errors, nanos: count * millis * 1_000_000, ..Tally::default() };
        (0..count).for_each(|_| tally.durations.add(millis * 1_000_000));
        tally
    }

    fn service(now: Tally, then: Option<Tally>) -> Service {
        let window = |whole| Window { whole, ..Window::default() };
        Service { name: "s".into(), is_asked: true, now: window(now), then: then.map(window), data_from: 1 }
    }

    #[test]
    fn the_rule_tells_trouble_from_chance() {
        let check = |now: (u64, u64, u64), then: Option<(u64, u64, u64)>, expect: Option<Trouble>| {
            let of = |(count, errors, millis)| tally(count, errors, millis);
            assert_eq!(trouble(&service(of(now), then.map(of))), expect, "{now:?} {then:?}");
        };
        check((1000, 50, 10), Some((1000, 0, 10)), Some(Trouble::Errors));
        check((1000, 4, 10), Some((1000, 0, 10)), None);
        check((1000, 12, 10), Some((1000, 5, 10)), None);
        check((1000, 60, 10), Some((1000, 50, 10)), None);
        check((10, 6, 10), Some((10, 6, 10)), Some(Trouble::Errors));
        check((100, 5, 10), None, Some(Trouble::Errors));
        check((1000, 40, 10), None, None);
        check((0, 0, 0), Some((100, 0, 10)), Some(Trouble::Silent));
        check((0, 0, 0), Some((10, 0, 10)), None);
        check((100, 0, 40), Some((100, 0, 10)), Some(Trouble::Latency));
        check((100, 0, 12), Some((100, 0, 10)), None);
        check((10, 0, 40), Some((100, 0, 10)), None);
        check((100, 0, 40), None, None);
    }
}
