//! O2 and O8: more than fits is refused with a hint, memory stays inside its budget, and what was taken is there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::ledger::{Ledger, Verdict};
use e2e::load::{Outcome, Sender, request};
use e2e::reader::read_traces;
use e2e::stack::Stack;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

const SENDERS: u64 = 32;
const LASTS: Duration = Duration::from_secs(10);
/// Read back of all that was sent, in the random order of a hash set.
const TRACES_READ: usize = 4_000;
const MEMORY_BYTES_MAX: u64 = 512 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_with_hints_and_memory_stays_bounded() -> Result<()> {
    let stack = Stack::start().await?;
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let refused = Arc::new(AtomicUsize::new(0));
    let (started, mut load) = (Instant::now(), JoinSet::new());
    for seed in 0..SENDERS {
        let (ledger, refused) = (Arc::clone(&ledger), Arc::clone(&refused));
        let sender = Sender::new(&stack.url(4318))?;
        load.spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            while started.elapsed() < LASTS {
                let request = request(&mut random, 400, 5);
                ledger.lock().expect("ledger").sent(&request.spans);
                match sender.send(request.body).await {
                    Outcome::Acked => ledger.lock().expect("ledger").acked(&request.spans),
                    Outcome::Refused { status, retry_after, body } => {
                        assert!([429, 503].contains(&status), "{status} {body}");
                        assert!(retry_after.is_some(), "{status} without a retry hint: {body}");
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    Outcome::Unknown => panic!("the connection broke under load"),
                }
            }
        });
    }
    load.join_all().await;
    let ledger = std::mem::take(&mut *ledger.lock().expect("ledger"));
    let peak = stack.memory_bytes("VmHWM")?;
    println!(
        "{} spans taken, {} requests refused, peak {} MiB",
        ledger.acked_spans(),
        refused.load(Ordering::Relaxed),
        peak >> 20
    );
    assert!(peak < MEMORY_BYTES_MAX, "memory peaked at {} MiB", peak >> 20);
    assert!(ledger.acked_spans() > 50_000, "the load hardly got through");
    let mut sample = ledger.traces();
    sample.truncate(TRACES_READ);
    let present = read_traces(&stack.url(17281), &sample).await?;
    assert_eq!(ledger.only(&sample).check(&present), Verdict::default());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_of_a_hundred_thousand_spans_is_taken_and_read_back() -> Result<()> {
    let stack = Stack::start().await?;
    let sender = Sender::new(&stack.url(4318))?;
    let mut random = StdRng::seed_from_u64(9);
    let mut ledger = Ledger::default();
    // one trace, sent in requests that stay below the body limit
    let first = request(&mut random, 1, 10_000);
    let trace = first.spans[0].0;
    for n in 0..10 {
        let request = if n == 0 { None } else { Some(e2e::load::more_of(&mut random, trace, 10_000)) };
        let request = request.as_ref().unwrap_or(&first);
        ledger.sent(&request.spans);
        assert_eq!(sender.send(request.body.clone()).await, Outcome::Acked);
        ledger.acked(&request.spans);
    }
    let present = read_traces(&stack.url(17281), &ledger.traces()).await?;
    assert_eq!(ledger.check(&present), Verdict::default());
    let id: String = trace.iter().map(|b| format!("{b:02x}")).collect();
    let answer = reqwest::get(format!("{}/api/traces/{id}", stack.url(16686))).await?;
    assert_eq!(answer.status(), 200);
    let answer: serde_json::Value = answer.json().await?;
    assert_eq!(answer["data"][0]["spans"].as_array().map(Vec::len), Some(100_000));
    Ok(())
}
