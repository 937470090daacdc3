//! R1: `kill -9` under load, again and again; nothing acknowledged is lost, nothing is there twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use e2e::ledger::{Ledger, Verdict};
use e2e::load::{Outcome, Sender, request};
use e2e::reader::read_traces;
use e2e::stack::Stack;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

const SENDERS: u64 = 3;

/// Load that goes on while the process is killed under it; what is refused or broken off is not sent again.
async fn send_until(stop: Arc<AtomicBool>, endpoint: String, ledger: Arc<Mutex<Ledger>>, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let sender = Sender::new(&endpoint).expect("http client");
    while !stop.load(Ordering::Relaxed) {
        let request = request(&mut random, 1, 20);
        ledger.lock().expect("ledger").sent(&request.spans);
        if sender.send(request.body).await == Outcome::Acked {
            ledger.lock().expect("ledger").acked(&request.spans);
        }
        // a steady rate, so that a fast machine does not make the read back long
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_under_load_loses_nothing_acknowledged() -> Result<()> {
    let kills: u32 = std::env::var("KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(100);
    let seed: u64 = rand::random();
    println!("seed {seed}, {kills} kills");
    let mut random = StdRng::seed_from_u64(seed);
    // small generations, so that kills fall into flushes, commits and compactions as well
    let small = ["--set", "trace-store.head.generation_bytes=64KiB"];
    let mut stack = Stack::start_with(&small).await?;
    let (ledger, stop) = (Arc::new(Mutex::new(Ledger::default())), Arc::new(AtomicBool::new(false)));
    let mut load = JoinSet::new();
    for n in 0..SENDERS {
        load.spawn(send_until(Arc::clone(&stop), stack.url(4318), Arc::clone(&ledger), seed ^ (n + 1)));
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.random_range(50..1000))).await;
        stack.kill().await?;
        stack.restart().await?;
        slowest = slowest.max(stack.ready_after);
    }
    stop.store(true, Ordering::Relaxed);
    load.join_all().await;
    let ledger = std::mem::take(&mut *ledger.lock().expect("ledger"));
    let present = read_traces(&stack.url(17281), &ledger.traces()).await?;
    println!(
        "{} spans acknowledged, {} present, slowest start {slowest:?}",
        ledger.acked_spans(),
        present.len()
    );
    assert!(ledger.acked_spans() > 1_000, "the load hardly got through");
    assert_eq!(ledger.check(&present), Verdict::default(), "seed {seed}");
    assert!(slowest < Duration::from_secs(10), "a start took {slowest:?}");
    Ok(())
}
