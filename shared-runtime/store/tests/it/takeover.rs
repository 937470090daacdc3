//! Fences, takeovers, unknown outcomes and rebases between two holders.

use runtime_engine::{Stop, Time};
use runtime_store::toy::Toy;
use runtime_store::{Holder, Outcome, Planned, Replayed};

use crate::chance::each_seed;
use crate::cluster::{Cluster, STEPS, run};
use crate::node::START;

#[test]
fn two_writers_lose_nothing_and_double_nothing() {
    let (mut fenced, mut unknown, mut rebuilds, mut merges, mut abandoned, mut rebased, mut flushes) =
        (0, 0, 0, 0, 0, 0, 0);
    for seed in each_seed(160) {
        println!("seed {seed}");
        let cluster = run(seed, STEPS, &[]).unwrap();
        cluster.check_garbage().unwrap();
        rebased += cluster.rebased;
        for c in cluster.counters() {
            fenced += c.fenced;
            unknown += c.swaps_unknown;
            rebuilds += c.rebuilds;
            merges += c.merges;
            abandoned += c.merges_abandoned;
            flushes += c.flushes;
        }
    }
    println!(
        "fenced {fenced}, unknown {unknown}, rebuilds {rebuilds}, flushes {flushes}, merges {merges}, abandoned \
         {abandoned}, rebased {rebased}"
    );
    // the simulation is worth something only if all of it happened
    for (what, n) in [
        ("fenced", fenced),
        ("unknown", unknown),
        ("rebuilds", rebuilds),
        ("flushes", flushes),
        ("merges", merges),
        ("abandoned", abandoned),
        ("rebased", rebased),
    ] {
        assert!(n > 0, "no {what} in all these seeds");
    }
}

#[test]
fn holders_end_generations_at_the_same_offsets_so_that_a_follower_never_rebuilds() {
    let mut pair = Cluster::quiet();
    for _ in 0..40 {
        pair.append();
    }
    let (writer, follower) = pair.holders();
    assert!(writer.claim(1).unwrap());
    follower.follow().unwrap();
    replay(writer);
    replay(follower);
    let before = follower.stats().generations;
    assert!(before > 3);
    while writer.flush_step().unwrap() == Outcome::Committed {
        assert!(follower.follow().unwrap());
        assert_eq!(follower.stats().generations, writer.stats().generations);
        pair.check().unwrap();
    }
    assert_eq!((follower.stats().generations, follower.stats().counters.rebuilds), (1, 0));
}

#[test]
fn a_follower_claims_at_once_when_the_root_was_given_up_and_late_when_it_was_not() {
    let mut pair = Cluster::quiet();
    pair.append();
    let (writer, follower) = pair.holders();
    assert!(writer.claim(1).unwrap());
    follower.follow().unwrap();
    replay(follower);
    let now = |seconds: u64| Time(START + seconds * 1_000_000_000);
    assert!(!follower.should_claim(now(0)) && !follower.should_claim(now(600)));
    assert!(follower.should_claim(now(601)) && !writer.should_claim(now(601)));
    writer.release().unwrap();
    follower.follow().unwrap();
    assert!(follower.should_claim(now(0)));
    assert!(follower.claim(2).unwrap());
    // the old writer is fenced, goes on as a follower, and its heads stay
    assert_eq!(writer.flush_step().unwrap(), Outcome::Nothing);
    assert!(writer.follow().unwrap() && !writer.should_claim(now(0)));
    pair.check().unwrap();
}

#[test]
fn a_flush_in_flight_at_a_takeover_is_discarded_and_a_merge_is_rebased_onto_a_flush() {
    let mut pair = Cluster::quiet();
    for _ in 0..3 {
        pair.append();
        let (writer, _) = pair.holders();
        writer.claim(1).unwrap();
        replay(writer);
        writer.seal().unwrap();
    }
    let (writer, _) = pair.holders();
    assert_eq!(writer.flush_step().unwrap(), Outcome::Committed);
    assert_eq!(writer.flush_step().unwrap(), Outcome::Committed);
    // a merge is planned and written, a flush is committed, then the merge
    let Planned::Merge(merge) = writer.plan().unwrap() else { panic!("nothing to merge") };
    let merged = writer.write_merge(&merge, &Stop::default(), 1.0).unwrap();
    assert_eq!(writer.flush_step().unwrap(), Outcome::Committed);
    assert_eq!(writer.commit_merge(&merge, merged).unwrap(), Outcome::Committed);
    assert_eq!(writer.stats().objects, 2);
    pair.check().unwrap();
    // a flush is written, another takes the partition, the flush is thrown away
    pair.append();
    let (writer, other) = pair.holders();
    replay(writer);
    writer.seal().unwrap();
    let flush = writer.begin_flush().unwrap().unwrap();
    let written = writer.write_flush(&flush).unwrap();
    assert!(other.claim(2).unwrap());
    assert_eq!(writer.commit_flush(&flush, written).unwrap(), Outcome::Discarded);
    assert!(!writer.is_writer() && !writer.is_head_empty());
    assert_eq!(writer.stats().counters.fenced, 1);
    pair.check().unwrap();
}

fn replay(h: &Holder<Toy>) {
    while h.replay_step().unwrap() != Replayed::CaughtUp {}
}
