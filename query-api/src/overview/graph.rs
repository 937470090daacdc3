//! The system as a graph: services, what they call, and how that goes.
//!
//! Knows: which calls are shown as edges. Must not know: how calls are counted. Start at [`of`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared_proto::trace_store::v1::Callee;

use crate::backend::{Call, Of, Series, Tally};

use super::services::{is_asked, shown_quantile};

/// Nodes and edges.
pub(super) fn of(
    red: BTreeMap<Of, Series>,
    edges: BTreeMap<Call, Tally>,
    then: Option<BTreeMap<Call, Tally>>,
) -> (Vec<Value>, Vec<Value>) {
    let mut services: BTreeMap<String, [Tally; 2]> = BTreeMap::new();
    for (of, series) in red {
        let [asked, all] = services.entry(of.service).or_default();
        for tally in series.steps.values() {
            if is_asked(of.kind) {
                asked.merge(tally);
            }
            all.merge(tally);
        }
    }
    let names: BTreeSet<String> = services.keys().cloned().collect();
    let mut outside: BTreeMap<String, (Callee, Tally)> = BTreeMap::new();
    for (call, tally) in edges.iter().filter(|(call, _)| !names.contains(&call.callee)) {
        let callee = Callee::try_from(call.callee_type).unwrap_or_default();
        let node = outside.entry(call.callee.clone()).or_insert((callee, Tally::default()));
        node.1.merge(tally);
    }
    let (edges, then) = (shown(edges, &names), then.map(|then| shown(then, &names)));
    let mut nodes: Vec<Value> = services
        .iter()
        .map(|(name, [asked, all])| node(name, "service", if asked.count > 0 { asked } else { all }))
        .collect();
    for (name, (callee, tally)) in &outside {
        let kind = match callee {
            Callee::Database => "database",
            Callee::Messaging => "messaging",
            Callee::External => "external",
            // its spans lie outside the window, or it is in a partition that does not answer
            Callee::Service => "service",
        };
        nodes.push(node(name, kind, tally));
    }
    let edge = |((caller, callee), tally): (&(String, String), &Tally)| {
        let key = (caller.clone(), callee.clone());
        let before =
            then.as_ref().map(|then| then.get(&key).map_or_else(|| figures(&Tally::default()), figures));
        let mut shown = json!({ "caller": caller, "callee": callee, "then": before });
        if let (Value::Object(shown), Value::Object(figures)) = (&mut shown, figures(tally)) {
            shown.extend(figures);
        }
        shown
    };
    (nodes, edges.iter().map(edge).collect())
}

/// Calls by caller and callee. Spans of a service within itself are no calls, unless it answers itself.
fn shown(edges: BTreeMap<Call, Tally>, services: &BTreeSet<String>) -> BTreeMap<(String, String), Tally> {
    let mut shown: BTreeMap<(String, String), Tally> = BTreeMap::new();
    for (call, tally) in edges {
        let is_outward = call.callee_type != i32::from(Callee::Service);
        // what a service says of a call to a known one stays unanswered: it is a call of that one all the same
        let is_within = call.caller == call.callee && (is_outward || !is_asked(call.kind));
        if !is_within && (services.contains(&call.caller) || !is_outward) {
            shown.entry((call.caller, call.callee)).or_default().merge(&tally);
        }
    }
    shown
}

fn figures(tally: &Tally) -> Value {
    json!({
        "calls": tally.count,
        "errors": tally.errors,
        "p50Nano": shown_quantile(tally, 0.5),
        "p95Nano": shown_quantile(tally, 0.95),
    })
}

fn node(name: &str, kind: &str, tally: &Tally) -> Value {
    json!({
        "service": name,
        "calls": tally.count,
        "errors": tally.errors,
        "p95Nano": shown_quantile(tally, 0.95),
        "kind": kind,
    })
}
