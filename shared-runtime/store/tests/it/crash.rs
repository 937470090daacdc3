//! Kills and power losses of one node, at every file operation of a workload.

use std::collections::BTreeSet;
use std::time::Duration;

use runtime_engine::Stop;
use runtime_store::{Mutation, Outcome};

use crate::chance::{Dice, each_seed};
use crate::node::Node;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Kill,
    PowerLoss,
}

/// Runs the workload of `seed` until file operation `at`, ends the process, starts it again and checks.
pub(crate) fn run(seed: u64, steps: u64, at: u64, end: End, mutations: &[Mutation]) -> Result<u64, String> {
    let mut node = Node::new(seed, mutations);
    let mut dice = Dice::new(seed);
    node.files.crash_at(at);
    // faults of the medium are the point: whatever a step answers, what it acknowledged counts
    let mut alive = node.start().is_ok();
    for _ in 0..steps {
        if !alive || node.files.is_crashed() {
            break;
        }
        drop(node.step(&mut dice));
        alive = !node.files.is_crashed();
    }
    let operations = node.files.operations();
    node.stop();
    node.files = match end {
        End::Kill => node.files.reboot(),
        End::PowerLoss => node.files.power_loss(seed ^ at),
    };
    let what = format!("seed {seed}, {end:?} at operation {at}");
    node.start().map_err(|e| format!("{what}: cannot start again: {e}"))?;
    node.check(&format!("{what}, after the restart"))?;
    for _ in 0..12 {
        node.step(&mut dice).map_err(|e| format!("{what}: a step failed without a fault: {e}"))?;
    }
    node.check(&format!("{what}, after some more work"))?;
    node.check_no_orphans().map_err(|e| format!("{what}: {e}"))?;
    node.stop();
    node.start().map_err(|e| format!("{what}: cannot start a third time: {e}"))?;
    node.check(&format!("{what}, after another restart"))?;
    Ok(operations)
}

/// File operations of the undisturbed workload.
pub(crate) fn operations(seed: u64, steps: u64) -> u64 {
    run(seed, steps, u64::MAX, End::Kill, &[]).unwrap()
}

#[test]
fn a_kill_at_every_file_operation_loses_nothing() {
    let n = operations(3, 70);
    println!("seed 3: {n} operations");
    assert!(n > 200, "the workload of {n} operations is too small");
    for at in 0..n {
        run(3, 70, at, End::Kill, &[]).unwrap();
    }
}

#[test]
fn a_power_loss_at_every_file_operation_loses_nothing() {
    let n = operations(4, 70);
    println!("seed 4: {n} operations");
    for at in 0..n {
        run(4, 70, at, End::PowerLoss, &[]).unwrap();
    }
}

#[test]
fn power_losses_and_kills_with_many_seeds_lose_nothing() {
    for seed in each_seed(60) {
        println!("seed {seed}");
        let n = operations(seed, 120);
        let mut dice = Dice::new(!seed);
        run(seed, 120, dice.below(n), End::PowerLoss, &[]).unwrap();
        run(seed, 120, dice.below(n), End::Kill, &[]).unwrap();
    }
}

/// A medium that fails now and then, and a clock that jumps: nothing is lost, and work goes on when it heals.
#[test]
fn failing_operations_and_a_jumping_clock_lose_nothing() {
    const YEAR: u64 = 365 * 24 * 3600 * 1_000_000_000;
    for seed in each_seed(24) {
        println!("seed {seed}");
        let mut node = Node::new(seed, &[]);
        let mut dice = Dice::new(seed);
        node.start().unwrap();
        node.files.fail_one_in(Some(12));
        for _ in 0..150 {
            drop(node.step(&mut dice));
            match dice.below(30) {
                0 => node.clock.set(crate::node::START + 10 * YEAR),
                1 => node.clock.set(0),
                2 => node.clock.set(crate::node::START - 3600 * 1_000_000_000),
                _ => {}
            }
        }
        node.files.fail_one_in(None);
        node.clock.advance(Duration::from_secs(1));
        let life = node.life.as_ref().unwrap();
        life.log.probe();
        for h in &life.holders {
            h.claim(77).unwrap();
        }
        node.check(&format!("seed {seed}, healed")).unwrap();
        let acked: BTreeSet<_> = node.acked.clone();
        for _ in 0..40 {
            node.step(&mut dice).unwrap();
        }
        assert!(node.acked.len() > acked.len(), "seed {seed}: nothing is taken any more");
        node.check(&format!("seed {seed}, worked on")).unwrap();
        node.stop();
        node.files = node.files.reboot();
        node.clock.set(crate::node::START + 20 * YEAR);
        node.start().unwrap();
        node.check(&format!("seed {seed}, restarted")).unwrap();
        node.check_no_orphans().unwrap();
    }
}

/// Kills at every step of merges, retention and deletion: answers before equal answers after, what expired goes as a
/// whole or stays, and no file is left behind.
#[test]
fn a_kill_at_every_step_of_merges_and_retention_changes_no_answer() {
    let run = |at: u64, end: End| {
        let mut node = Node::new(9, &[]);
        node.config.policy.retention = Some(Duration::from_secs(1000));
        node.start().unwrap();
        let old = node.fill(1, 6);
        node.clock.advance(Duration::from_secs(900));
        let new = node.fill(100, 6);
        node.clock.advance(Duration::from_secs(200));
        let start = node.files.operations();
        node.files.crash_at(start.saturating_add(at));
        let life = node.life.as_ref().unwrap();
        for _ in 0..12 {
            for h in &life.holders {
                drop(h.compaction_step(&Stop::default(), 1.0));
                drop(h.delete_step());
            }
            node.clock.advance(Duration::from_secs(5));
        }
        let operations = node.files.operations() - start;
        node.stop();
        node.files = if end == End::Kill { node.files.reboot() } else { node.files.power_loss(at) };
        node.start().unwrap();
        let what = format!("{end:?} at operation {at}");
        let seen = node.seen().unwrap();
        assert!(new.iter().all(|n| seen.contains(n)), "{what}: {seen:?}");
        let of_old: Vec<_> = seen.iter().filter(|n| **n < 100).collect();
        assert_eq!(seen.len(), new.len() + of_old.len(), "{what}: {seen:?}");
        // half of the old numbers are in each partition, and those of a partition go together or not at all
        assert!(of_old.len() % (old.len() / 2) == 0, "{what}: {seen:?}");
        node.clock.advance(Duration::from_secs(60));
        let life = node.life.as_ref().unwrap();
        for h in &life.holders {
            while h.compaction_step(&Stop::default(), 1.0).unwrap() == Outcome::Committed {}
        }
        assert_eq!(node.seen().unwrap(), new, "{what}");
        node.check_no_orphans().unwrap();
        operations
    };
    let n = run(u64::MAX, End::Kill);
    println!("{n} operations");
    assert!(n > 60);
    for at in 0..n {
        run(at, End::Kill);
        run(at, End::PowerLoss);
    }
}
