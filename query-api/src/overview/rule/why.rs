//! Why a service is in trouble: the error, since when, which version, on whom it waits, whom it follows.
//!
//! Knows: calls, failures, versions of the window. Must not know: how a service came to be judged. Start at [`Why::of`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared_proto::durations::bounds_of;
use shared_proto::trace_store::v1::Callee;

use crate::backend::{Call, Failures, Tally};

use super::super::asked::Asked;
use super::super::services::Service;
use super::since::since;
use super::{Judged, Trouble, share};

/// Of the spans that p95 was taken of, one in twenty was slower.
const SLOW_SHARE: f64 = 0.05;
/// A service waits for a callee that takes at least this share of its time.
const WAITS_MIN: f64 = 0.05;
/// A service follows a callee that has this share of its errors, or of its time.
const FOLLOWS_MIN: f64 = 0.2;

/// The most frequent error of a service.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TopError {
    pub(super) text: String,
    pub(super) kind: String,
    /// The operation with most of it.
    pub(super) operation: String,
    pub(super) count: u64,
    /// Of all errors of the service.
    pub(super) share: f64,
}

/// Why a service is in trouble.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Why {
    pub(super) trouble: Trouble,
    /// Unix ns.
    pub(super) since: Option<u64>,
    pub(super) error: Option<TopError>,
    /// Version and when it was first seen.
    pub(super) version: Option<(String, u64)>,
    /// Callee and its share of the time.
    pub(super) waits_for: Option<(String, f64)>,
    pub(super) follows: Option<String>,
}

impl Why {
    pub(super) fn of(
        trouble: Trouble,
        asked: &Asked,
        service: &Service,
        edges: &BTreeMap<Call, Tally>,
        failures: &Failures,
    ) -> Self {
        let since = since_of(trouble, asked, service);
        Self {
            trouble,
            since,
            error: (trouble == Trouble::Errors).then(|| top_error(&service.name, failures)).flatten(),
            version: new_version(&service.name, asked, since, failures),
            waits_for: waits_for(service, edges),
            follows: None,
        }
    }

    pub(super) fn shown(&self) -> Value {
        json!({
            "kind": match self.trouble {
                Trouble::Errors => "errors",
                Trouble::Latency => "latency",
                Trouble::Silent => "silent",
            },
            "since": self.since.map(|since| since.to_string()),
            "error": self.error.as_ref().map(|error| json!({
                "text": error.text,
                "type": error.kind,
                "operation": error.operation,
                "count": error.count,
                "share": error.share,
            })),
            "version": self.version.as_ref().map(|(value, first_seen)| json!({
                "value": value,
                "firstSeen": first_seen.to_string(),
            })),
            "waitsFor": self.waits_for.as_ref().map(|(service, share)| json!({ "service": service, "share": share })),
            "follows": self.follows,
        })
    }
}

fn since_of(trouble: Trouble, asked: &Asked, service: &Service) -> Option<u64> {
    let now = &service.now;
    let then = service.then.as_ref().map(|then| &then.whole);
    let counts = |hits: &dyn Fn(&Tally) -> u64| -> Vec<(u32, u64, u64)> {
        now.steps.iter().map(|(step, tally)| (*step, tally.count, hits(tally))).collect()
    };
    let step = match trouble {
        Trouble::Errors => {
            let middle = f64::midpoint(then.map_or(0.0, share), share(&now.whole));
            since(&counts(&|tally| tally.errors), middle)
        }
        Trouble::Latency => {
            let p95 = then.and_then(|then| then.durations.quantile(0.95)).unwrap_or(f64::MAX);
            let slow = |tally: &Tally| {
                let above = tally.durations.buckets().filter(|(bucket, _)| bounds_of(*bucket).0 >= p95);
                above.map(|(_, count)| count).sum::<u64>()
            };
            let slow_now = slow(&now.whole) as f64 / now.whole.count.max(1) as f64;
            since(&counts(&slow), f64::midpoint(SLOW_SHARE, slow_now))
        }
        // it was silent all along
        Trouble::Silent => None,
    };
    step.map(|step| asked.begin_of(step))
}

/// The most frequent type and text among the errors of a service.
fn top_error(service: &str, failures: &Failures) -> Option<TopError> {
    let mut causes: BTreeMap<(&str, &str), (u64, u64, &str)> = BTreeMap::new();
    let mut all = 0;
    for (reason, count) in failures.reasons.iter().filter(|(reason, _)| reason.service == service) {
        all += count;
        let (sum, most, operation) = causes.entry((&reason.text, &reason.kind)).or_default();
        *sum += count;
        if *count > *most {
            (*most, *operation) = (*count, &reason.operation);
        }
    }
    let ((text, kind), (count, _, operation)) = causes.into_iter().max_by_key(|(_, (count, _, _))| *count)?;
    Some(TopError {
        text: text.to_owned(),
        kind: kind.to_owned(),
        operation: operation.to_owned(),
        count,
        share: count as f64 / all as f64,
    })
}

/// The version that came up in the window, where there was another one before: the last before the trouble began, else
/// the first.
fn new_version(
    service: &str,
    asked: &Asked,
    since: Option<u64>,
    failures: &Failures,
) -> Option<(String, u64)> {
    let of_service = || failures.versions.iter().filter(|((of, _), _)| of == service);
    let oldest = of_service().map(|(_, (first, _))| *first).min()?;
    let is_new = |first: u64| first > oldest && first >= asked.begin_of(0) && first < asked.end;
    let new = || {
        of_service()
            .filter(|(_, (first, _))| is_new(*first))
            .map(|((_, version), (first, _))| (*first, version))
    };
    let step = u64::from(asked.step_minutes) * super::super::asked::MINUTE;
    let before = |(first, _): &(u64, &String)| since.is_none_or(|since| *first <= since.saturating_add(step));
    let found = new().filter(before).max().or_else(|| new().min());
    found.map(|(first, version)| (version.clone(), first))
}

/// The callee that takes most of a service's time.
fn waits_for(service: &Service, edges: &BTreeMap<Call, Tally>) -> Option<(String, f64)> {
    let mut nanos: BTreeMap<&str, u64> = BTreeMap::new();
    for (call, tally) in
        edges.iter().filter(|(call, _)| call.caller == service.name && call.callee != service.name)
    {
        *nanos.entry(&call.callee).or_default() += tally.nanos;
    }
    let (callee, waited) = nanos.into_iter().max_by_key(|(_, nanos)| *nanos)?;
    let all = service.now.whole.nanos.max(1);
    // calls at the same time take more than there is
    let part = (waited as f64 / all as f64).min(1.0);
    (part >= WAITS_MIN).then(|| (callee.to_owned(), part))
}

/// Says of each service in trouble which callee's trouble it follows: one that began no later, and that has enough of its
/// errors, or of its time.
pub(super) fn follow(asked: &Asked, judged: &mut [Judged], edges: &BTreeMap<Call, Tally>) {
    let troubled: BTreeMap<String, Option<u64>> =
        judged.iter().filter_map(|j| Some((j.service.name.clone(), j.why.as_ref()?.since))).collect();
    let silent: BTreeSet<String> = judged
        .iter()
        .filter(|j| j.why.as_ref().is_some_and(|why| why.trouble == Trouble::Silent))
        .map(|j| j.service.name.clone())
        .collect();
    let step = u64::from(asked.step_minutes) * super::super::asked::MINUTE;
    for judged in judged {
        let Some(why) = &mut judged.why else { continue };
        let (name, whole) = (&judged.service.name, &judged.service.now.whole);
        let mut best: Option<(f64, String)> = None;
        for (call, tally) in edges.iter().filter(|(call, _)| call.caller == *name && call.callee != *name) {
            let Some(began) =
                troubled.get(&call.callee).filter(|_| call.callee_type == i32::from(Callee::Service))
            else {
                continue;
            };
            let is_no_later = match (began, why.since) {
                (Some(theirs), Some(ours)) => *theirs <= ours.saturating_add(step),
                (None, _) => true,
                (Some(_), None) => false,
            };
            let part = match why.trouble {
                Trouble::Errors => tally.errors as f64 / whole.errors.max(1) as f64,
                Trouble::Latency => tally.nanos as f64 / whole.nanos.max(1) as f64,
                Trouble::Silent => 0.0,
            };
            let is_enough = part >= FOLLOWS_MIN || silent.contains(&call.callee);
            if is_no_later && is_enough && best.as_ref().is_none_or(|(most, _)| part > *most) {
                best = Some((part, call.callee.clone()));
            }
        }
        why.follows = best.map(|(_, callee)| callee);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::services::Window;
    use super::super::{State, judge};
    use super::*;
    use crate::backend::Reason;

    const MINUTE: u64 = 60_000_000_000;

    fn tally(count: u64, errors: u64, millis: u64) -> Tally {
        let mut tally = Tally { count, errors, nanos: count * millis * 1_000_000, ..Tally::default() };
        (0..count).for_each(|_| tally.durations.add(millis * 1_000_000));
        tally
    }

    /// Six steps; from `from` on `errors` of 100 fail and calls take `millis`, before none and 10.
    fn service(name: &str, from: u32, errors: u64, millis: u64) -> Service {
        let mut now = Window::default();
        for step in 0..6 {
            let tally = if step < from { tally(100, 0, 10) } else { tally(100, errors, millis) };
            now.whole.merge(&tally);
            now.steps.insert(step, tally);
        }
        let then = Some(Window { whole: tally(600, 0, 10), ..Window::default() });
        Service { name: name.into(), is_asked: true, now, then, data_from: 1 }
    }

    fn asked() -> Asked {
        let (start, end) = (1000 * MINUTE, 1060 * MINUTE);
        Asked { start, end, compare: Some((start - 60 * MINUTE, start)), step_minutes: 10 }
    }

    fn call(caller: &str, callee: &str) -> Call {
        Call { caller: caller.into(), callee: callee.into(), callee_type: 0, kind: 2 }
    }

    #[test]
    fn the_cause_stands_on_top_and_the_one_who_follows_names_it() {
        let services = vec![
            service("calm", 6, 0, 10),
            service("front", 4, 30, 10),
            service("pay", 3, 40, 10),
            service("slow", 3, 0, 90),
        ];
        let edges = BTreeMap::from([
            (call("front", "pay"), Tally { errors: 55, ..tally(300, 0, 8) }),
            (call("front", "calm"), tally(300, 0, 1)),
            (call("slow", "pay"), tally(300, 0, 60)),
        ]);
        let reason = |operation: &str, text: &str| Reason {
            service: "pay".into(),
            operation: operation.into(),
            kind: "Timeout".into(),
            text: text.into(),
        };
        let reasons = BTreeMap::from([
            (reason("charge", "bank is away"), 80),
            (reason("refund", "bank is away"), 20),
            (reason("charge", "other"), 20),
        ]);
        let version = |name: &str| ("pay".to_owned(), name.to_owned());
        let versions = BTreeMap::from([
            (version("1.0"), (500 * MINUTE, 1029 * MINUTE)),
            (version("1.1"), (1028 * MINUTE, 1059 * MINUTE)),
            (version("1.2"), (1055 * MINUTE, 1059 * MINUTE)),
        ]);
        let judged = judge(&asked(), services, &edges, &Failures { reasons, versions });
        let order: Vec<_> = judged.iter().map(|j| (&*j.service.name, j.state)).collect();
        assert_eq!(
            order,
            [
                ("pay", State::Broken),
                ("front", State::Broken),
                ("slow", State::Slower),
                ("calm", State::Usual)
            ]
        );
        let why = |at: usize| judged[at].why.clone().unwrap();
        let pay = why(0);
        assert_eq!((pay.trouble, pay.since), (Trouble::Errors, Some(1030 * MINUTE)));
        let error = pay.error.unwrap();
        assert_eq!((&*error.text, &*error.operation, error.count), ("bank is away", "charge", 100));
        assert!((error.share - 100.0 / 120.0).abs() < 1e-9);
        assert_eq!(pay.version, Some(("1.1".to_owned(), 1028 * MINUTE)));
        assert_eq!((pay.waits_for, pay.follows), (None, None));
        assert_eq!((why(1).follows.as_deref(), why(1).since), (Some("pay"), Some(1040 * MINUTE)));
        let slow = why(2);
        assert_eq!((slow.trouble, slow.since), (Trouble::Latency, Some(1030 * MINUTE)));
        assert_eq!(slow.waits_for.map(|(callee, _)| callee).as_deref(), Some("pay"));
        assert_eq!(judged[3].why, None);
    }

    #[test]
    fn a_silent_callee_is_followed_too() {
        let mut gone = service("gone", 0, 0, 10);
        gone.now = Window::default();
        let edges = BTreeMap::from([(call("front", "gone"), tally(10, 0, 1))]);
        let judged = judge(&asked(), vec![service("front", 3, 60, 10), gone], &edges, &Failures::default());
        let of =
            |name: &str| judged.iter().find(|j| j.service.name == name).and_then(|j| j.why.clone()).unwrap();
        assert_eq!(of("gone").trouble, Trouble::Silent);
        assert_eq!(of("front").follows.as_deref(), Some("gone"));
    }
}
