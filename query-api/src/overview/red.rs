//! Rates, errors and durations of services or operations, as charts.
//!
//! Knows: the parameters of `/api/yc/v1/red`, and its shape. Must not know: how spans are summed. Start at [`groups`].

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::backend::{Of, RedAsk, Series, Tally};
use crate::jaeger::params::Params;
use crate::jaeger::refusal::Refusal;

use super::asked::Asked;
use super::services::{series, shown_quantile};

const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const SERVER_AND_CONSUMER: [i32; 2] = [2, 5];
const QUANTILES: [(&str, f64); 3] = [("p50Nano", 0.5), ("p75Nano", 0.75), ("p95Nano", 0.95)];

/// Reads `service` (repeatable; none: every one), `groupBy` (`service` or `operation`) and `kind` (words with commas, or
/// `all`; `server,consumer` when nothing is said).
///
/// # Errors
/// An unknown word.
pub(super) fn ask(asked: &Asked, params: &Params) -> Result<RedAsk, Refusal> {
    let by_operation = match params.get("groupBy") {
        "" | "service" => false,
        "operation" => true,
        other => {
            return Err(Refusal::invalid(format!("groupBy is `{other}`, expected service or operation")));
        }
    };
    let mut kinds = Vec::new();
    match params.get("kind") {
        "all" => {}
        "" => kinds.extend(SERVER_AND_CONSUMER),
        words => {
            for word in words.split(',') {
                let known = (0..).zip(KINDS).find(|(_, kind)| *kind == word).map(|(number, _)| number);
                let unknown =
                    || Refusal::invalid(format!("kind `{word}` is none of all, {}", KINDS.join(", ")));
                kinds.push(known.ok_or_else(unknown)?);
            }
        }
    }
    let services = params.all("service").filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
    let (start, end, step_minutes) = (asked.start, asked.end, asked.step_minutes);
    Ok(RedAsk { start, end, step_minutes, services, kinds, by_operation })
}

/// One group per service or operation and kind.
pub(super) fn groups(asked: &Asked, sums: &BTreeMap<Of, Series>, data_from: u64) -> Vec<Value> {
    let group = |(of, by_step): (&Of, &Series)| {
        let mut whole = Tally::default();
        by_step.steps.values().for_each(|tally| whole.merge(tally));
        let kind = usize::try_from(of.kind).ok().and_then(|kind| KINDS.get(kind)).unwrap_or(&"unspecified");
        json!({
            "service": of.service,
            "operation": of.operation,
            "kind": kind,
            "calls": whole.count,
            "errors": whole.errors,
            "totalNano": whole.nanos,
            "p50Nano": shown_quantile(&whole, 0.5),
            "p75Nano": shown_quantile(&whole, 0.75),
            "p95Nano": shown_quantile(&whole, 0.95),
            "p99Nano": shown_quantile(&whole, 0.99),
            "series": series(asked, asked.begin_of(0), &by_step.steps, data_from, &QUANTILES),
        })
    };
    sums.iter().map(group).collect()
}
