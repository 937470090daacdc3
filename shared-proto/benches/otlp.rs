//! What the passes over OTLP bytes cost, in thread CPU time per span: `cargo bench -p shared-proto`.
//!
//! Cold: 64 MB of distinct requests in turn, more than a core's caches. Hot: one request again and again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a measurement"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use shared_proto::otlp::{Limits, Signal, admit, count, json, split_traces};

const SPANS: usize = 512;
const PARTITIONS: u32 = 16;
const RECORD_BYTES_MAX: usize = 1 << 20;

fn main() {
    let cold: Vec<Bytes> = (0..256).map(request).collect();
    let hot = cold.get(..1).unwrap_or_default();
    let bytes: usize = cold.iter().map(Bytes::len).sum();
    println!(
        "{} bytes a span, ns of thread CPU time a span, best and median of 12 rounds",
        bytes / cold.len() / SPANS
    );
    println!("{:<34}{:>16}{:>16}{:>8}", "", "cold", "hot", "budget");
    row("copy", &cold, hot, "", |request| black_box(request.to_vec()).len() as u64);
    row("count", &cold, hot, "", |request| count(Signal::Traces, request).unwrap());
    row("admit (validating walk)", &cold, hot, "330", |request| {
        admit(Signal::Traces, request.clone(), &Limits::default()).unwrap().items
    });
    row("split into 16 partitions", &cold, hot, "220", |request| {
        split_traces(request, PARTITIONS, RECORD_BYTES_MAX).unwrap().parts.len() as u64
    });
    row("split, one partition", &cold, hot, "", |request| {
        split_traces(request, 1, RECORD_BYTES_MAX).unwrap().parts.len() as u64
    });
    row("JSON encode", cold.get(..16).unwrap_or_default(), hot, "", |request| {
        let mut out = Vec::new();
        json::encode_traces(request, &mut out).unwrap();
        out.len() as u64
    });
    let texts: Vec<Bytes> = cold.iter().take(16).map(as_json).collect();
    row("JSON decode", &texts, texts.get(..1).unwrap_or_default(), "", |request| {
        json::decode(Signal::Traces, request).unwrap().len() as u64
    });
}

fn as_json(request: &Bytes) -> Bytes {
    let mut out = Vec::new();
    json::encode_traces(request, &mut out).unwrap();
    out.into()
}

fn row(name: &str, cold: &[Bytes], hot: &[Bytes], budget: &str, pass: impl Fn(&Bytes) -> u64) {
    let (cold, hot) = (measure(cold, &pass), measure(hot, &pass));
    println!("{name:<34}{cold:>16}{hot:>16}{budget:>8}");
}

fn measure(requests: &[Bytes], pass: &impl Fn(&Bytes) -> u64) -> String {
    // the kernel updates a thread's time a thousand times a second or less: long rounds
    let turns = 512usize.div_ceil(requests.len());
    let mut rounds: Vec<f64> = (0..12)
        .map(|_| {
            let start = thread_time();
            for request in requests.iter().cycle().take(turns * requests.len()) {
                black_box(pass(black_box(request)));
            }
            let spent = thread_time().saturating_sub(start);
            spent.as_nanos() as f64 / (turns * requests.len() * SPANS) as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let at = |at: usize| rounds.get(at).copied().unwrap_or_default();
    format!("{:.0} / {:.0}", at(0), at(rounds.len() / 2))
}

/// CPU time of this thread where the kernel tells it, else the time of day.
fn thread_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = stat.as_deref().and_then(|stat| stat.split(' ').next()).and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(since_start, Duration::from_nanos)
}

fn since_start() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn put(out: &mut Vec<u8>, number: u8, body: &[u8]) {
    out.push(number << 3 | 2);
    let mut len = body.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(body);
}

fn message(parts: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    parts.iter().for_each(|(number, body)| put(&mut out, *number, body));
    out
}

fn attribute(key: &str, value: &[u8]) -> Vec<u8> {
    message(&[(1, key.as_bytes()), (2, value)])
}

fn text(value: &str) -> Vec<u8> {
    message(&[(1, value.as_bytes())])
}

/// 512 spans of about 500 bytes with ten attributes each, in 8 resources of two scopes.
fn request(seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut out = Vec::new();
    for resource in 0..8 {
        let service = attribute("service.name", &text(&format!("service-{resource}")));
        let host =
            attribute("host.name", &text(&format!("ip-10-0-{resource}-17.eu-central-1.compute.internal")));
        let sdk = attribute("telemetry.sdk.language", &text("java"));
        let head = message(&[(1, &service), (1, &host), (1, &sdk)]);
        let mut body = message(&[(1, &head)]);
        for scope in 0..2 {
            let name = format!("io.opentelemetry.instrumentation-{scope}");
            let mut spans = message(&[(1, &message(&[(1, name.as_bytes()), (2, b"2.9.0")]))]);
            for _ in 0..SPANS / 16 {
                put(&mut spans, 2, &span(&mut state));
            }
            put(&mut body, 2, &spans);
        }
        put(&mut out, 1, &body);
    }
    out.into()
}

fn span(state: &mut u64) -> Vec<u8> {
    let mut random = || {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    };
    let (high, low, id, parent) = (random(), random(), random(), random());
    let trace_id = [high.to_be_bytes(), low.to_be_bytes()].concat();
    let name = format!("GET /api/v{}/orders/{{id}}", id % 3);
    let mut out =
        message(&[(1, &trace_id), (2, &id.to_be_bytes()), (4, &parent.to_be_bytes()), (5, name.as_bytes())]);
    out.extend_from_slice(&[6 << 3, (id % 5 + 1) as u8]);
    for (number, time) in [(7u8, id), (8, id + 1000)] {
        out.push(number << 3 | 1);
        out.extend_from_slice(&time.to_le_bytes());
    }
    let url = format!("https://shop.example.com/api/v1/orders/{low:x}?expand=items");
    let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";
    let rows: [(&str, Vec<u8>); 10] = [
        ("http.request.method", text("GET")),
        ("http.response.status_code", vec![3 << 3, 0xc8, 0x01]),
        ("http.route", text("/api/v1/orders/{id}")),
        ("url.full", text(&url)),
        ("server.address", text("shop.example.com")),
        ("server.port", vec![3 << 3, 0xbb, 0x03]),
        ("user_agent.original", text(agent)),
        ("network.protocol.version", text("1.1")),
        ("thread.id", vec![3 << 3, (id % 100) as u8]),
        ("cache.hit", vec![2 << 3, (id % 2) as u8]),
    ];
    rows.iter().for_each(|(key, value)| put(&mut out, 9, &attribute(key, value)));
    put(&mut out, 15, &[3 << 3, (id % 3) as u8]);
    out.extend_from_slice(&[0x85, 0x01, 1, 1, 0, 0]);
    out
}
