//! Search against a model that looks at every span.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use trace_segments::{SearchQuery, operations, services};

use crate::data::{each_span, traces};
use crate::memory::{Store, search};

pub(crate) fn service_of(r: &ResourceSpans) -> String {
    let attributes = r.resource.iter().flat_map(|r| &r.attributes);
    match attributes
        .into_iter()
        .find(|a| a.key == "service.name")
        .map(|a| a.value.as_ref().and_then(|v| v.value.as_ref()))
    {
        None => "missing-service-name".into(),
        Some(Some(Value::StringValue(name))) if name.is_empty() => "empty-service-name".into(),
        Some(Some(Value::StringValue(name))) => name.clone(),
        Some(_) => "service-name-wrong-type".into(),
    }
}

pub(crate) fn operation_of(span: &Span) -> String {
    if span.name.is_empty() { "empty-span-name".into() } else { span.name.clone() }
}

/// Scalars only: the queries of this test ask for nothing else.
fn text_is(attribute: &KeyValue, text: &str) -> bool {
    match attribute.value.as_ref().and_then(|v| v.value.as_ref()) {
        Some(Value::StringValue(s)) => s == text,
        Some(Value::IntValue(i)) => i.to_string() == text,
        Some(Value::BoolValue(b)) => b.to_string() == text,
        Some(Value::DoubleValue(d)) => d.abs() < 1e21 && d.to_string() == text,
        Some(Value::BytesValue(b)) => b.is_empty() && text.is_empty(),
        Some(_) => false,
        None => text.is_empty(),
    }
}

fn has(attributes: &[KeyValue], key: &str, text: &str) -> bool {
    attributes.iter().any(|a| a.key == key && text_is(a, text))
}

fn resource_has(r: &ResourceSpans, key: &str, text: &str) -> bool {
    if key == "service.name" {
        return service_of(r) == text;
    }
    r.resource.as_ref().is_some_and(|r| has(&r.attributes, key, text))
}

fn attribute_matches(r: &ResourceSpans, s: &ScopeSpans, span: &Span, key: &str, text: &str) -> bool {
    let status = span.status.as_ref().map_or(0, |s| s.code);
    match key {
        "error" => (status == 2) == (text == "true"),
        "span.kind" => {
            span.kind
                == ["unspecified", "internal", "server", "client"]
                    .iter()
                    .position(|k| *k == text)
                    .map_or(0, |k| i32::try_from(k).unwrap())
        }
        "span.status" => {
            status
                == ["unset", "ok", "error"]
                    .iter()
                    .position(|k| *k == text)
                    .map_or(0, |k| i32::try_from(k).unwrap())
        }
        "scope.name" => s.scope.as_ref().map_or("", |s| s.name.as_str()) == text,
        "scope.version" => s.scope.as_ref().map_or("", |s| s.version.as_str()) == text,
        _ => match key.strip_prefix("resource.") {
            Some(key) => resource_has(r, key, text),
            None => {
                has(&span.attributes, key, text)
                    || resource_has(r, key, text)
                    || s.scope.as_ref().is_some_and(|s| has(&s.attributes, key, text))
                    || span.events.iter().any(|e| has(&e.attributes, key, text))
                    || span.links.iter().any(|l| has(&l.attributes, key, text))
            }
        },
    }
}

pub(crate) fn matches(query: &SearchQuery, r: &ResourceSpans, s: &ScopeSpans, span: &Span) -> bool {
    let duration = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
    query.service.as_ref().is_none_or(|service| *service == service_of(r))
        && query.operation.as_ref().is_none_or(|operation| *operation == operation_of(span))
        && span.start_time_unix_nano >= query.start_min
        && (query.start_max == 0 || span.start_time_unix_nano < query.start_max)
        && duration >= query.duration_min
        && (query.duration_max == 0 || duration <= query.duration_max)
        && query.attributes.iter().all(|(key, text)| attribute_matches(r, s, span, key, text))
}

fn model(data: &[TracesData], query: &SearchQuery) -> Vec<(u64, [u8; 16])> {
    let mut newest: BTreeMap<[u8; 16], u64> = BTreeMap::new();
    for (r, s, span) in data.iter().flat_map(each_span) {
        if matches(query, r, s, span) {
            let id = span.trace_id.as_slice().try_into().unwrap();
            let start = newest.entry(id).or_default();
            *start = (*start).max(span.start_time_unix_nano);
        }
    }
    let mut found: Vec<_> = newest.into_iter().map(|(id, start)| (start, id)).collect();
    found.sort_by_key(|(start, id)| (Reverse(*start), *id));
    if let Some((start, id)) = query.after {
        found.retain(|found| (Reverse(found.0), found.1) > (Reverse(start), id));
    }
    found.truncate(query.limit);
    found
}

prop_compose! {
    pub(crate) fn query()(
        service in option::weighted(0.4, prop::sample::select(vec!["shop", "cart", "missing-service-name", "empty-service-name", "service-name-wrong-type", "no"])),
        operation in option::weighted(0.3, prop::sample::select(vec!["GET /", "query", "empty-span-name", "no"])),
        attributes in vec(prop::sample::select(vec![
            ("http.method", "GET"), ("http.status_code", "200"), ("k", "72.5"), ("k", "true"), ("", ""), ("a/b", "a"),
            ("k", ""), ("error", "true"), ("error", "false"), ("span.kind", "client"), ("span.kind", "server"),
            ("span.status", "ok"), ("scope.name", "k"), ("scope.version", ""), ("resource.k", "1"),
            ("service.name", "shop"), ("resource.service.name", "missing-service-name"), ("k", "-9223372036854775808"),
        ]), 0..3),
        start in option::weighted(0.4, (995_u64..1_040, 0_u64..40)),
        duration in option::weighted(0.3, (0_u64..30, 0_u64..20)),
        limit in 1_usize..6,
    ) -> SearchQuery {
        SearchQuery {
            service: service.map(String::from),
            operation: operation.map(String::from),
            attributes: attributes.into_iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            start_min: start.map_or(0, |(min, _)| min),
            start_max: start.map_or(0, |(min, len)| min + len),
            duration_min: duration.map_or(0, |(min, _)| min),
            duration_max: duration.map_or(0, |(min, more)| min + more),
            limit,
            ..SearchQuery::default()
        }
    }
}

/// Asks every query, then page after page, and compares with the model.
fn assert_searches(store: &Store, data: &[TracesData], queries: &[SearchQuery]) {
    let snap = store.snapshot();
    for query in queries {
        let found = search(&snap, query);
        assert_eq!(found, model(data, query), "{query:?}");
        let mut pages = Vec::new();
        let mut page = SearchQuery { limit: 2, ..query.clone() };
        loop {
            let found = search(&snap, &page);
            assert_eq!(found, model(data, &page), "{page:?}");
            let Some(last) = found.last() else { break };
            page.after = Some(*last);
            pages.extend(found);
        }
        assert_eq!(pages, model(data, &SearchQuery { limit: 100, ..query.clone() }));
    }
}

fn assert_names(store: &Store, data: &[TracesData]) {
    let mut known: BTreeMap<String, BTreeSet<(String, i32)>> = BTreeMap::new();
    for (r, _, span) in data.iter().flat_map(each_span) {
        known.entry(service_of(r)).or_default().insert((operation_of(span), span.kind));
    }
    let snap = store.snapshot();
    assert_eq!(services(&snap).unwrap(), known.keys().cloned().collect::<Vec<_>>());
    for (service, of_service) in &known {
        let expected: Vec<_> = of_service.iter().cloned().collect();
        assert_eq!(operations(&snap, service, None).unwrap(), expected);
        let servers: Vec<_> = expected.into_iter().filter(|(_, kind)| *kind == 3).collect();
        assert_eq!(operations(&snap, service, Some(3)).unwrap(), servers);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn search_answers_like_a_look_at_every_span(batches in vec(traces(), 1..7), queries in vec(query(), 12)) {
        let mut in_head = Store::new();
        let mut mixed = Store::new();
        for (i, batch) in batches.iter().enumerate() {
            in_head.put(batch);
            mixed.put(batch);
            match i % 3 {
                0 => mixed.flush(),
                1 => mixed.seal(),
                _ => {}
            }
        }
        for store in [&in_head, &mixed] {
            assert_searches(store, &batches, &queries);
            assert_names(store, &batches);
        }
        mixed.flush();
        assert_searches(&mixed, &batches, &queries);
        assert_names(&mixed, &batches);
        mixed.merge_all();
        assert_searches(&mixed, &batches, &queries);
        assert_names(&mixed, &batches);
    }
}
