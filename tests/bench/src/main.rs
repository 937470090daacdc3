//! Measures the trace path of the all-in-one: start, idle memory, ingest, size at rest, reads by id.
//!
//! Knows: the public wires. Must not know: any crate of the services. `make bench` runs it; the peers' figures are
//! those of their latest measured versions on the same kind of machine and are printed beside ours as ratios.

mod figures;
mod ingest;
mod reads;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use e2e::stack::Stack;

use crate::figures::Report;

/// What to run.
#[derive(Debug, Parser)]
struct Flags {
    /// Spans to send.
    #[arg(long, default_value_t = 400_000)]
    spans: usize,
    /// Spans in a request.
    #[arg(long, default_value_t = 200)]
    spans_per_request: usize,
    /// Connections that send at once.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Reads by id.
    #[arg(long, default_value_t = 2_000)]
    reads: usize,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let flags = Flags::parse();
    let mut report = Report::default();
    let mut stack = Stack::start().await?;
    report.figure("start to ready", stack.ready_after.as_secs_f64() * 1e3, "ms", "peers 20-500");
    // idle memory is what is left once start-up has settled, so here time itself is what is waited for
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.mebibytes("idle memory", stack.memory_bytes("VmRSS")?, "otelcol 28 + VictoriaTraces 13");
    let sent = ingest::run(&mut stack, &flags, &mut report).await?;
    reads::run(&stack, &sent, flags.reads, "from heads and objects", &mut report).await?;
    stack.terminate().await?;
    ingest::size_at_rest(&stack, sent.spans, "at rest after the drain", &mut report)?;
    stack.restart().await?;
    reads::run(&stack, &sent, flags.reads, "from objects, after a restart", &mut report).await?;
    report.print();
    Ok(())
}
