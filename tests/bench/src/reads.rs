//! Reads of whole traces by id over Jaeger's HTTP API.
//!
//! Knows: ids. Must not know: where a trace lies. Start at [`run`].

use std::time::Instant;

use anyhow::{Result, ensure};
use e2e::stack::Stack;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::figures::Report;
use crate::ingest::Sent;

/// Reads random traces one after the other.
pub(crate) async fn run(
    stack: &Stack,
    sent: &Sent,
    reads: usize,
    what: &str,
    report: &mut Report,
) -> Result<()> {
    let http = reqwest::Client::new();
    let mut random = StdRng::seed_from_u64(2);
    let mut latencies = Vec::with_capacity(reads);
    for _ in 0..reads {
        let Some(id) = sent.traces.choose(&mut random) else { break };
        let id: String = id.iter().map(|b| format!("{b:02x}")).collect();
        let started = Instant::now();
        let answer = http.get(format!("{}/api/traces/{id}", stack.url(16686))).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        latencies.push(started.elapsed());
        ensure!(status.is_success() && body.len() > 1_000, "trace {id}: {status}");
    }
    report.latencies(&format!("by id {what}"), &mut latencies, "VictoriaTraces 6, first 15");
    Ok(())
}
