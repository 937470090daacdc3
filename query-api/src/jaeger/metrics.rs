//! `GET /api/metrics/{calls,errors,latencies}`: what Jaeger's monitor page asks for, answered from sums of spans.
//!
//! Knows: the parameters, and the shape of an OpenMetrics family as JSON. Must not know: how spans are summed. A point at
//! time *t* is about the `ratePer` before it, by whole minutes. Start at [`Asked`].

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::backend::{RedAsk, Tally};
use crate::go;

use super::call::{Call, Refused, V1};
use super::params::{Params, unparsable};
use super::refusal::{Refusal, mark_partial};
use super::{Room, millis, now};

const LOOKBACK_MS: i64 = 3600 * 1000;
const STEP_MS: i64 = 5_000;
const RATE_PER_MS: i64 = 600_000;
/// As Prometheus bounds them, which stands behind these endpoints in Jaeger.
const POINTS_MAX: u64 = 11_000;
const MINUTE: u64 = 60_000_000_000;
const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const SERVER: i32 = 2;

/// Which figure.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Figure {
    Calls,
    Errors,
    /// The quantile.
    Latencies(f64),
}

/// What is asked.
struct Asked {
    figure: Figure,
    services: Vec<String>,
    kinds: Vec<i32>,
    by_operation: bool,
    end: u64,
    lookback: u64,
    step: u64,
    rate_per: u64,
}

type Answered = Result<Response, Refused<V1>>;

/// `GET /api/metrics/calls`.
pub(super) async fn calls(State(room): State<Arc<Room>>, call: Call<V1>) -> Answered {
    answer(&room, Figure::Calls, &call).await
}

/// `GET /api/metrics/errors`.
pub(super) async fn errors(State(room): State<Arc<Room>>, call: Call<V1>) -> Answered {
    answer(&room, Figure::Errors, &call).await
}

/// `GET /api/metrics/latencies?quantile`.
pub(super) async fn latencies(State(room): State<Arc<Room>>, call: Call<V1>) -> Answered {
    let text = call.params.get("quantile");
    let quantile: Result<f64, _> = text.parse();
    let quantile = quantile.map_err(|_no_number| {
        let quoted = go::quote(text.as_bytes());
        unparsable("quantile", &format!("strconv.ParseFloat: parsing {quoted}: invalid syntax"))
    })?;
    answer(&room, Figure::Latencies(quantile), &call).await
}

async fn answer(room: &Room, figure: Figure, call: &Call<V1>) -> Answered {
    let asked = Asked::read(figure, &call.params)?;
    let start = asked.end.saturating_sub(asked.lookback);
    let window_start = start.saturating_sub(asked.rate_per);
    let ask = RedAsk {
        start: window_start,
        end: asked.end,
        step_minutes: 1,
        services: asked.services.clone(),
        kinds: asked.kinds.clone(),
        by_operation: asked.by_operation,
    };
    let found = room.backend.red(&ask, &call.at_least).await?;
    let mut series: BTreeMap<(String, String), BTreeMap<u64, Tally>> = BTreeMap::new();
    for (of, by_step) in &found.value {
        let known = series.entry((of.service.clone(), of.operation.clone())).or_default();
        for (step, tally) in &by_step.steps {
            let minute = window_start / MINUTE + u64::from(*step);
            known.entry(minute * MINUTE).or_default().merge(tally);
        }
    }
    let metrics = series.iter().map(|(names, minutes)| asked.metric(names, minutes)).collect();
    let mut response =
        ([(header::CONTENT_TYPE, "application/json")], asked.family(metrics).to_string()).into_response();
    mark_partial(&mut response, &found.cover.partial);
    Ok(response)
}

impl Asked {
    fn read(figure: Figure, params: &Params) -> Result<Self, Refusal> {
        let services: Vec<String> =
            params.all("service").filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
        if services.is_empty() {
            return Err(unparsable("service", "please provide at least one service name"));
        }
        let mut kinds = Vec::new();
        for word in params.all("spanKind") {
            let known = (0..).zip(KINDS).find(|(_, kind)| *kind == word);
            let unknown = || unparsable("spanKind", &format!("unsupported span kind: '{word}'"));
            kinds.push(known.ok_or_else(unknown)?.0);
        }
        if kinds.is_empty() {
            kinds.push(SERVER);
        }
        let by_operation = params.bool("groupByOperation")?;
        let positive = |key: &str, default: i64| match params.int(key)? {
            Some(value) if value <= 0 => Err(unparsable(key, &format!("{value} is not above 0"))),
            value => Ok(millis(value.unwrap_or(default))),
        };
        let end = params.int("endTs")?.map_or_else(now, millis);
        let lookback = positive("lookback", LOOKBACK_MS)?;
        let (step, rate_per) = (positive("step", STEP_MS)?, positive("ratePer", RATE_PER_MS)?);
        if lookback / step >= POINTS_MAX || lookback.saturating_add(rate_per) / MINUTE >= POINTS_MAX {
            return Err(unparsable("step", &format!("makes more than {POINTS_MAX} points of the lookback")));
        }
        Ok(Self { figure, services, kinds, by_operation, end, lookback, step, rate_per })
    }

    /// One metric: a point per step.
    fn metric(&self, (service, operation): &(String, String), minutes: &BTreeMap<u64, Tally>) -> Value {
        let mut labels = vec![json!({ "name": "service_name", "value": service })];
        if self.by_operation {
            labels.insert(0, json!({ "name": "operation", "value": operation }));
        }
        let mut points = Vec::new();
        let mut at = self.end.saturating_sub(self.lookback);
        while at <= self.end {
            let mut tally = Tally::default();
            // a minute counts from its beginning on
            for (_, minute) in minutes.range(at.saturating_sub(self.rate_per)..at) {
                tally.merge(minute);
            }
            if tally.count > 0 {
                let value = json!({ "doubleValue": self.value(&tally) });
                points.push(json!({ "gaugeValue": value, "timestamp": go::format_rfc3339(at) }));
            }
            at = at.saturating_add(self.step);
        }
        json!({ "labels": labels, "metricPoints": points })
    }

    fn value(&self, tally: &Tally) -> f64 {
        let seconds = self.rate_per as f64 / 1e9;
        match self.figure {
            Figure::Calls => tally.count as f64 / seconds,
            Figure::Errors => tally.errors as f64 / tally.count as f64,
            Figure::Latencies(quantile) => tally.durations.quantile(quantile).unwrap_or(0.0) / 1e6,
        }
    }

    fn family(&self, metrics: Vec<Value>) -> Value {
        let (infix, by) =
            if self.by_operation { ("_operation", "service & operation") } else { ("", "service") };
        let (name, help) = match self.figure {
            Figure::Calls => ("call_rate", "calls/sec".to_owned()),
            Figure::Errors => {
                ("error_rate", "error rate, computed as a fraction of errors/sec over calls/sec".to_owned())
            }
            Figure::Latencies(quantile) => ("latencies", format!("{quantile:.2}th quantile latency in ms")),
        };
        json!({
            "name": format!("service{infix}_{name}"),
            "type": "GAUGE",
            "help": format!("{help}, grouped by {by}"),
            "metrics": metrics,
        })
    }
}
