//! Ingest: CPU per span, latency of acks, memory, and size at rest.
//!
//! Knows: OTLP over HTTP, the store's own metrics. Must not know: how the store works. Start at [`run`].

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use e2e::load::{Outcome, Sender, request};
use e2e::stack::Stack;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use crate::Flags;
use crate::figures::Report;

const SPANS_PER_TRACE: usize = 10;

/// What was sent.
pub(crate) struct Sent {
    /// Ids of the traces.
    pub(crate) traces: Vec<[u8; 16]>,
    /// Number of spans.
    pub(crate) spans: usize,
}

/// Sends the load and measures until the process is idle again.
pub(crate) async fn run(stack: &mut Stack, flags: &Flags, report: &mut Report) -> Result<Sent> {
    let mut random = StdRng::seed_from_u64(1);
    let (mut bodies, mut traces, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..flags.spans.div_ceil(flags.spans_per_request) {
        let request = request(&mut random, flags.spans_per_request / SPANS_PER_TRACE, SPANS_PER_TRACE);
        bytes += request.body.len();
        traces.extend(request.spans.chunks(SPANS_PER_TRACE).filter_map(|t| t.first()).map(|(id, _)| *id));
        bodies.push(request.body);
    }
    let spans = traces.len() * SPANS_PER_TRACE;
    let cpu_before = stack.cpu_seconds()?;
    let started = Instant::now();
    let mut latencies = send_all(&stack.url(4318), bodies, flags.connections).await?;
    let wall = started.elapsed().as_secs_f64();
    let acked = stack.cpu_seconds()? - cpu_before;
    let settled = wait_idle(stack).await? - cpu_before;
    let per_span = |seconds: f64| seconds * 1e6 / spans as f64;
    report.figure("request body", bytes as f64 / spans as f64, "B/span", "");
    report.figure(
        "CPU until the last ack",
        per_span(acked),
        "µs/span",
        "VictoriaTraces 26-33, not durable for 5 s",
    );
    report.figure("CPU until idle", per_span(settled), "µs/span", "VictoriaTraces 28-34; Tempo 115");
    report.figure("wall", spans as f64 / wall / 1e3, "k spans/s", "VictoriaTraces 31");
    report.latencies("ack latency", &mut latencies, "");
    report.mebibytes("memory, peak", stack.memory_bytes("VmHWM")?, "VictoriaTraces 371-627");
    Ok(Sent { traces, spans })
}

/// Bytes of all files of the data directory: the log, of which the newest file always stays, and everything else.
pub(crate) fn size_at_rest(stack: &Stack, spans: usize, what: &str, report: &mut Report) -> Result<()> {
    let log = size_of(&stack.data_dir.join("trace-store/log"))?;
    let rest = size_of(&stack.data_dir)? - log;
    report.figure(what, rest as f64 / spans as f64, "B/span", "VictoriaTraces 89-94; Tempo 146");
    report.mebibytes("log that stays", log, "");
    Ok(())
}

async fn send_all(endpoint: &str, bodies: Vec<Bytes>, connections: usize) -> Result<Vec<Duration>> {
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let (bodies, next, sender) = (Arc::clone(&bodies), Arc::clone(&next), Sender::new(endpoint)?);
        senders.spawn(async move {
            let mut latencies = Vec::new();
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                let started = Instant::now();
                loop {
                    match sender.send(body.clone()).await {
                        Outcome::Acked => break,
                        // a full head says so and names a delay; a client comes again
                        Outcome::Refused { status: 429 | 503, .. } => {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        other => return Err(anyhow::anyhow!("{other:?}")),
                    }
                }
                latencies.push(started.elapsed());
            }
            Ok(latencies)
        });
    }
    let mut all = Vec::new();
    for latencies in senders.join_all().await {
        all.extend(latencies?);
    }
    Ok(all)
}

/// Waits until the process has used no CPU worth speaking of for a second; its CPU seconds then.
async fn wait_idle(stack: &Stack) -> Result<f64> {
    let started = Instant::now();
    let mut last = stack.cpu_seconds()?;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = stack.cpu_seconds()?;
        if now - last < 0.03 {
            return Ok(now);
        }
        last = now;
        ensure!(started.elapsed() < Duration::from_secs(120), "not idle after two minutes");
    }
}

fn size_of(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let data = entry.metadata()?;
        bytes += if data.is_dir() { size_of(&entry.path())? } else { data.len() };
    }
    Ok(bytes)
}
