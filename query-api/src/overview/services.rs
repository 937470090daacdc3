//! Services side by side: the window, and the one that it is compared with.
//!
//! Knows: which spans a service is judged by. Must not know: what is broken. Start at [`compare`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::backend::{Of, Series, Tally};

use super::asked::Asked;

const SERVER: i32 = 2;
const CONSUMER: i32 = 5;

/// Spans of one service in one window.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    pub(super) whole: Tally,
    pub(super) steps: BTreeMap<u32, Tally>,
}

/// A service in both windows.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) name: String,
    /// It is judged by what it was asked (SERVER and CONSUMER spans); otherwise by all its spans.
    pub(super) is_asked: bool,
    pub(super) now: Window,
    pub(super) then: Option<Window>,
    /// Steps that end before this lie before all data: nothing is known of them.
    pub(super) data_from: u64,
}

/// Whether a service that has such spans is judged by them.
pub(super) fn is_asked(kind: i32) -> bool {
    matches!(kind, SERVER | CONSUMER)
}

/// All services of both windows.
pub(super) fn compare(
    asked: &Asked,
    now: BTreeMap<Of, Series>,
    then: Option<BTreeMap<Of, Series>>,
    data_from: u64,
) -> Vec<Service> {
    let none = BTreeMap::new();
    let both = now.iter().chain(then.as_ref().unwrap_or(&none));
    let answering: BTreeSet<String> =
        both.clone().filter(|(of, _)| is_asked(of.kind)).map(|(of, _)| of.service.clone()).collect();
    let names: BTreeSet<String> = both.map(|(of, _)| of.service.clone()).collect();
    let mut windows = [Some(&now), then.as_ref()].map(|series| {
        let mut windows: BTreeMap<String, Window> = BTreeMap::new();
        for (of, series) in series.into_iter().flatten() {
            if !is_asked(of.kind) && answering.contains(&of.service) {
                continue;
            }
            let window = windows.entry(of.service.clone()).or_default();
            for (step, tally) in series.steps.iter().filter(|(step, _)| **step < asked.steps().max(1)) {
                window.whole.merge(tally);
                window.steps.entry(*step).or_default().merge(tally);
            }
        }
        windows
    });
    let [now, before] = &mut windows;
    let service = |name: String| Service {
        is_asked: answering.contains(&name),
        now: now.remove(&name).unwrap_or_default(),
        then: then.is_some().then(|| before.remove(&name).unwrap_or_default()),
        name,
        data_from,
    };
    names.into_iter().map(service).collect()
}

/// A quantile in nanoseconds as it is shown; null when nothing was counted.
pub(super) fn shown_quantile(tally: &Tally, q: f64) -> Value {
    tally.durations.quantile(q).map_or(Value::Null, |nanos| nanos.round().into())
}

/// Figures of a whole window.
pub(super) fn figures(tally: &Tally) -> Value {
    json!({
        "calls": tally.count,
        "errors": tally.errors,
        "p50Nano": shown_quantile(tally, 0.5),
        "p95Nano": shown_quantile(tally, 0.95),
        "p99Nano": shown_quantile(tally, 0.99),
    })
}

/// Figures by step: null where nothing is known.
pub(super) fn series(
    asked: &Asked,
    begin: u64,
    steps: &BTreeMap<u32, Tally>,
    data_from: u64,
    quantiles: &[(&str, f64)],
) -> Value {
    let (mut calls, mut errors) = (Vec::<Value>::new(), Vec::<Value>::new());
    let mut latencies = vec![Vec::<Value>::new(); quantiles.len()];
    let none = Tally::default();
    let step_nanos = u64::from(asked.step_minutes) * super::asked::MINUTE;
    for step in 0..asked.steps() {
        let end = begin.saturating_add((u64::from(step) + 1).saturating_mul(step_nanos));
        let is_known = data_from != 0 && end > data_from;
        let tally = steps.get(&step).unwrap_or(&none);
        calls.push(if is_known { tally.count.into() } else { Value::Null });
        errors.push(if is_known { tally.errors.into() } else { Value::Null });
        for (list, (_, q)) in latencies.iter_mut().zip(quantiles) {
            list.push(shown_quantile(tally, *q));
        }
    }
    let mut shown = serde_json::Map::from_iter([
        ("calls".to_owned(), calls.into()),
        ("errors".to_owned(), errors.into()),
    ]);
    for ((name, _), list) in quantiles.iter().zip(latencies) {
        shown.insert((*name).to_owned(), list.into());
    }
    shown.into()
}
