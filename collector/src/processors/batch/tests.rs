//! The merge rules, one step at a time: the consumer answers only when a test lets it.

use std::time::Duration;

use runtime_service::{Kind, Status};

use super::*;
use crate::pipeline::Ack;
use crate::testing::{Gate, batch, host};

struct Rig {
    merger: Merger,
    gate: Arc<Gate>,
    tasks: Tasks,
    outcomes: Vec<tokio::sync::oneshot::Receiver<Outcome>>,
}

impl Rig {
    fn new(rules: Rules, answer: impl Fn(&Batch) -> Outcome + Send + Sync + 'static) -> Self {
        let host = host();
        let gate = Gate::new(answer);
        let merger = Merger::new("processor/batch", rules, gate.clone(), &host);
        Rig { merger, gate, tasks: host.tasks, outcomes: Vec::new() }
    }

    /// Sends a request and lets everything run that can.
    async fn send(&mut self, text: &str, items: u64) {
        let (answer, outcome) = tokio::sync::oneshot::channel();
        let (merger, batch) = (self.merger.clone(), batch(text, items));
        self.tasks.spawn("caller", async move {
            let _nobody_waits = answer.send(merger.consume(batch).await);
        });
        self.outcomes.push(outcome);
        settle().await;
    }

    async fn outcomes(self) -> Vec<Outcome> {
        let mut all = Vec::new();
        for outcome in self.outcomes {
            all.push(outcome.await.unwrap());
        }
        all
    }
}

/// Runs every task until all of them wait (paused time does not move).
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

fn rules() -> Rules {
    Rules { items: 8192, items_max: 0, timeout: Duration::from_millis(5) }
}

fn fine(_: &Batch) -> Outcome {
    Ok(Ack::default())
}

#[tokio::test(start_paused = true)]
async fn an_idle_exporter_gets_a_request_at_once_and_alone() {
    let mut rig = Rig::new(rules(), fine);
    rig.send("a", 1).await;
    assert_eq!(rig.gate.texts(), ["a"]);
    rig.gate.permits.add_permits(1);
    settle().await;
    rig.send("b", 1).await;
    assert_eq!(rig.gate.texts(), ["a", "b"]);
    rig.gate.permits.add_permits(1);
    assert!(rig.outcomes().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn what_arrives_during_an_export_is_merged_when_it_ends() {
    let mut rig = Rig::new(rules(), fine);
    for text in ["a", "b", "c", "d"] {
        rig.send(text, 1).await;
    }
    assert_eq!(rig.gate.texts(), ["a"]);
    rig.gate.permits.add_permits(1);
    settle().await;
    assert_eq!(rig.gate.texts(), ["a", "bcd"]);
    assert_eq!(rig.gate.got.lock().unwrap()[1].items, 3);
    rig.gate.permits.add_permits(1);
    assert!(rig.outcomes().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_longer_than_the_timeout() {
    let mut rig = Rig::new(rules(), fine);
    rig.send("a", 1).await;
    rig.send("b", 1).await;
    tokio::time::advance(Duration::from_millis(4)).await;
    settle().await;
    rig.send("c", 1).await;
    assert_eq!(rig.gate.texts(), ["a"]);
    tokio::time::advance(Duration::from_millis(2)).await;
    settle().await;
    assert_eq!(rig.gate.texts(), ["a", "bc"]);
    rig.gate.permits.add_permits(2);
    assert!(rig.outcomes().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn enough_items_are_sent_although_an_export_is_under_way() {
    let mut rig = Rig::new(Rules { items: 10, ..rules() }, fine);
    rig.send("a", 1).await;
    rig.send("b", 9).await;
    assert_eq!(rig.gate.texts(), ["a"]);
    rig.send("c", 1).await;
    assert_eq!(rig.gate.texts(), ["a", "bc"]);
    rig.gate.permits.add_permits(2);
    assert!(rig.outcomes().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn a_merged_request_has_at_most_its_largest_size() {
    let mut rig = Rig::new(Rules { items: 100, items_max: 10, ..rules() }, fine);
    for (text, items) in [("a", 1), ("b", 6), ("c", 4), ("d", 1), ("e", 30), ("f", 2)] {
        rig.send(text, items).await;
    }
    rig.gate.permits.add_permits(1);
    settle().await;
    let mut texts = rig.gate.texts();
    texts.sort();
    assert_eq!(texts, ["a", "bc", "d", "e", "f"]);
    rig.gate.permits.add_permits(4);
    assert!(rig.outcomes().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn each_merged_request_gets_its_own_outcome() {
    let mut rig = Rig::new(rules(), |batch: &Batch| {
        let poisoned = batch.bytes.contains(&b'!');
        if poisoned { Err(Status::new(Kind::Invalid, "poison")) } else { Ok(Ack::default()) }
    });
    for text in ["a", "b", "!", "d"] {
        rig.send(text, 1).await;
    }
    rig.gate.permits.add_permits(100);
    let gate = rig.gate.clone();
    let kinds: Vec<_> =
        rig.outcomes().await.into_iter().map(|o| o.map_err(|status| status.kind).err()).collect();
    assert_eq!(kinds, [None, None, Some(Kind::Invalid), None]);
    assert_eq!(gate.texts(), ["a", "b!d", "b", "!", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_retryable_failure_is_everyone_s_and_is_not_split() {
    let mut rig = Rig::new(rules(), |_| Err(Status::retryable(Kind::Unavailable, "away")));
    for text in ["a", "b", "c"] {
        rig.send(text, 1).await;
    }
    rig.gate.permits.add_permits(100);
    let gate = rig.gate.clone();
    assert!(
        rig.outcomes().await.iter().all(|o| o.as_ref().is_err_and(|status| status.kind == Kind::Unavailable))
    );
    assert_eq!(gate.texts(), ["a", "bc"]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_take_its_neighbours_along() {
    let mut rig = Rig::new(rules(), fine);
    rig.send("a", 1).await;
    let waiting = rig.merger.clone();
    let mut leaving = Box::pin(waiting.consume(batch("gone", 1)));
    assert!(futures_util::poll!(&mut leaving).is_pending());
    rig.send("b", 1).await;
    drop(leaving);
    rig.gate.permits.add_permits(10);
    assert!(rig.outcomes().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn stopping_sends_what_waits() {
    let mut rig = Rig::new(Rules { timeout: Duration::from_secs(3600), ..rules() }, fine);
    rig.send("a", 1).await;
    rig.send("b", 1).await;
    rig.merger.stop().await.unwrap();
    settle().await;
    assert_eq!(rig.gate.texts(), ["a", "b"]);
    rig.gate.permits.add_permits(2);
    assert!(rig.outcomes().await.iter().all(Result::is_ok));
}
