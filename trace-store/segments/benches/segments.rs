//! What a span costs: CPU time of one thread, on spans like those of a web shop (10 attributes, 10 spans a trace).
//!
//! `cargo bench -p trace-segments --bench segments -- [segments] [spans per segment] [write]`; prints one line per
//! step, with `write` none that reads.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a bench has no caller to hand errors to"
)]

#[path = "../tests/it/memory.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod memory;

use bytes::Bytes;
use memory::{Store, get};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use prost::Message;
use runtime_engine::{Engine, Job, Offset, Record, Stop, Time};
use trace_segments::{Cost, RedQuery, SearchQuery, Traces, Window};

const TRACE_SPANS: u64 = 10;
const BATCH_TRACES: u64 = 20;

/// CPU time of this thread in nanoseconds.
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse().unwrap()
}

fn timed<T>(what: &str, count: u64, unit: &str, mut work: impl FnMut() -> T) -> T {
    let start = cpu_ns();
    let result = work();
    let ns = cpu_ns() - start;
    println!("{what:<44} {:>10.1} {unit}", ns as f64 / count as f64);
    result
}

/// Reads are short and the clock is coarse: many of them.
const READS: u64 = 50;

fn many<T>(what: &str, unit_ns: u64, unit: &str, mut work: impl FnMut() -> T) -> Option<T> {
    timed(what, READS * unit_ns, unit, || (0..READS).map(|_| work()).last())
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn int(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(value.cast_signed()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn span(random: &mut Random, trace_id: [u8; 16], parent: &[u8], start: u64) -> Span {
    let route = random.below(40);
    let id = random.below(100_000);
    let failed = random.below(50) == 0;
    let lasts = 20_000 + random.below(30_000_000);
    Span {
        trace_id: trace_id.to_vec(),
        span_id: random.next().to_be_bytes().to_vec(),
        parent_span_id: parent.to_vec(),
        name: format!("GET /api/v1/resource{route}"),
        kind: if parent.is_empty() { 2 } else { 3 },
        start_time_unix_nano: start,
        end_time_unix_nano: start + lasts,
        attributes: vec![
            text("http.request.method", ["GET", "POST", "PUT"][random.below(3) as usize]),
            int("http.response.status_code", if failed { 500 } else { 200 }),
            text("http.route", format!("/api/v1/resource{route}/{{id}}")),
            text("url.path", format!("/api/v1/resource{route}/{id}")),
            text("network.peer.address", format!("10.1.{}.{}", random.below(4), random.below(250))),
            int("server.port", 8080),
            text(
                "user_agent.original",
                format!("Mozilla/5.0 (X11; Linux x86_64) client/{}", random.below(12)),
            ),
            int("thread.id", random.below(32)),
            attribute("cache.hit", Value::BoolValue(random.below(4) > 0)),
            text("db.statement", format!("SELECT * FROM table{} WHERE id = ?", random.below(60))),
        ],
        status: Some(Status { code: if failed { 2 } else { 0 }, message: String::new() }),
        flags: 0x101,
        ..Span::default()
    }
}

fn resource(service: u64) -> Resource {
    let attributes = vec![
        text("service.name", format!("service-{service}")),
        text("service.instance.id", format!("7c1f4a52-0000-4000-8000-00000000000{service}")),
        text("host.name", format!("node-{service}.cluster.local")),
        text("telemetry.sdk.language", "python"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.version", "1.38.0"),
    ];
    Resource { attributes, ..Resource::default() }
}

/// A batch as an SDK sends it: one resource, spans of many traces.
fn batch(random: &mut Random, at: u64) -> TracesData {
    let mut of_service: Vec<Vec<Span>> = vec![Vec::new(); 8];
    for n in 0..BATCH_TRACES {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random.next().to_be_bytes());
        id[8..].copy_from_slice(&random.next().to_be_bytes());
        let mut parent = Vec::new();
        for i in 0..TRACE_SPANS {
            let start = at + n * 3_000_000 + i * 400_000 + random.below(300_000);
            let span = span(random, id, &parent, start);
            parent.clone_from(&span.span_id);
            of_service[random.below(8) as usize].push(span);
        }
    }
    let scope = InstrumentationScope {
        name: "http".into(),
        version: "1.2.3".into(),
        ..InstrumentationScope::default()
    };
    let of = |(service, spans)| ResourceSpans {
        resource: Some(resource(service)),
        scope_spans: vec![ScopeSpans { scope: Some(scope.clone()), spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    };
    TracesData { resource_spans: (0..).zip(of_service).map(of).collect() }
}

fn bytes_per_span(store: &Store) -> String {
    let spans: u64 = store.metas.iter().map(|m| m.rows).sum();
    let of =
        |part: usize| store.metas.iter().map(|m| m.parts[part].len_bytes).sum::<u64>() as f64 / spans as f64;
    format!(
        "{:.1} B/span (spans {:.1}, traces {:.2}, tables {:.2}, red {:.2})",
        of(0) + of(1) + of(2) + of(3),
        of(0),
        of(1),
        of(2),
        of(3)
    )
}

fn ask(store: &Store, ids: &[[u8; 16]], when: &str) {
    if std::env::args().any(|arg| arg == "write") {
        return;
    }
    let snap = store.snapshot();
    many(&format!("by id, {when}"), 1000 * ids.len() as u64, "us", || {
        for id in ids {
            assert!(!get(&snap, *id).unwrap().is_empty());
        }
    });
    many(&format!("by id, absent, {when}"), 1000 * 100, "us", || {
        for n in 0..100_u8 {
            assert!(get(&snap, [n; 16]).unwrap().is_empty());
        }
    });
    let base = SearchQuery { limit: 20, ..SearchQuery::default() };
    let tag = |key: &str, value: &str| vec![(key.to_string(), value.to_string())];
    let queries = [
        ("service", SearchQuery { service: Some("service-3".into()), ..base.clone() }),
        ("operation", SearchQuery { operation: Some("GET /api/v1/resource7".into()), ..base.clone() }),
        ("common tag", SearchQuery { attributes: tag("http.request.method", "POST"), ..base.clone() }),
        ("error", SearchQuery { attributes: tag("error", "true"), ..base.clone() }),
        (
            "unique value",
            SearchQuery { attributes: tag("url.path", "/api/v1/resource7/4711"), ..base.clone() },
        ),
        ("absent value", SearchQuery { attributes: tag("url.path", "/nowhere"), ..base.clone() }),
        ("absent service", SearchQuery { service: Some("nobody".into()), ..base.clone() }),
        ("long duration", SearchQuery { duration_min: 30_000_000, ..base }),
    ];
    let window = Window { start: 1_790_000_000_000_000_000, end: 1_790_086_400_000_000_000 };
    let everything =
        RedQuery { window, step_minutes: 10, services: Vec::new(), kinds: Vec::new(), by_operation: false };
    many(&format!("red of a day, {when}"), 1_000_000, "ms", || {
        trace_segments::red(&snap, &everything, &Stop::default(), &mut Cost::default()).unwrap()
    });
    let of_one = RedQuery { services: vec!["service-3".into()], by_operation: true, ..everything };
    many(&format!("red of operations of a service, {when}"), 1_000_000, "ms", || {
        trace_segments::red(&snap, &of_one, &Stop::default(), &mut Cost::default()).unwrap()
    });
    many(&format!("edges, {when}"), 1_000_000, "ms", || {
        trace_segments::edges(&snap, window, &Stop::default(), &mut Cost::default()).unwrap()
    });
    many(&format!("failures, {when}"), 1_000_000, "ms", || {
        trace_segments::failures(&snap, window, &Stop::default(), &mut Cost::default()).unwrap()
    });
    for (name, query) in queries {
        let asked = many(&format!("search, {when}, {name}"), 1_000_000, "ms", || {
            let mut cost = Cost::default();
            (trace_segments::search(&snap, &query, &Stop::default(), &mut cost).unwrap(), cost)
        });
        let (found, cost) = asked.unwrap();
        println!("{:>60} traces, {} spans, {} kB read", found.len(), cost.spans, cost.bytes / 1000);
    }
}

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let segments = numbers.first().copied().unwrap_or(4);
    let segment_spans = numbers.get(1).copied().unwrap_or(50_000);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut store = Store::new();
    let mut ids = Vec::new();
    for n in 0..segments {
        let batches = segment_spans / (TRACE_SPANS * BATCH_TRACES);
        let at = |i: u64| 1_790_000_000_000_000_000 + (n * batches + i) * 60_000_000;
        let data: Vec<TracesData> = (0..batches).map(|i| batch(&mut random, at(i))).collect();
        ids.push(data[0].resource_spans[0].scope_spans[0].spans[0].trace_id.as_slice().try_into().unwrap());
        let payloads: Vec<Bytes> = data.iter().map(|d| d.encode_to_vec().into()).collect();
        drop(data);
        let spans = batches * TRACE_SPANS * BATCH_TRACES;
        if n == 0 {
            let bytes: usize = payloads.iter().map(Bytes::len).sum();
            println!("{spans} spans a segment, {} B/span as OTLP", bytes as u64 / spans);
        }
        let mut head = Traces.head(&[], None, u64::MAX).unwrap();
        timed("apply and view", spans, "ns/span", || {
            for payload in &payloads {
                let record = Record { time: Time(0), tenant: "default", encoding: 1, payload };
                Traces.apply(&mut head, Offset(0), record).unwrap();
                std::hint::black_box(Traces.view(&head));
            }
        });
        if n + 1 == segments {
            store.heads = vec![head];
            ask(&store, &ids[n as usize..], "head");
            head = store.heads.remove(0);
        }
        timed("flush", spans, "ns/span", || Traces.flush(&head, &mut store.sink).unwrap());
        store.commit();
    }
    println!("at flush: {}", bytes_per_span(&store));
    ask(&store, &ids, "segments");
    let job = Job::Merge { inputs: store.metas.iter().map(|m| m.id).collect(), level: 1 };
    let inputs = store.objects();
    timed("merge", segments * segment_spans, "ns/span", || {
        Traces.run(&job, &inputs, &mut store.sink, &Stop::default()).unwrap();
    });
    drop(inputs);
    store.metas.clear();
    store.commit();
    println!("after merge: {}", bytes_per_span(&store));
    ask(&store, &ids, "merged");
    many("open", 1_000_000, "ms", || assert_eq!(store.objects().len(), 1));
}
