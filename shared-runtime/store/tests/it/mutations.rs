//! Every seeded mutation is caught: a simulation that cannot fail proves nothing.

use runtime_store::Mutation;

use crate::cluster::{self, STEPS};
use crate::crash::{self, End};

fn caught_by_cluster(m: Mutation) {
    let found = (0..300).find_map(|seed| cluster::run(seed, STEPS, &[m]).err());
    println!("{m:?}: {found:?}");
    assert!(found.is_some(), "{m:?} is not noticed");
}

fn caught_by_crash(m: Mutation) {
    let found = (1..40).find_map(|seed| {
        let n = crash::operations(seed, 70);
        (0..n).step_by(3).find_map(|at| crash::run(seed, 70, at, End::PowerLoss, &[m]).err())
    });
    println!("{m:?}: {found:?}");
    assert!(found.is_some(), "{m:?} is not noticed");
}

#[test]
fn a_commit_before_its_objects_are_finished_is_caught() {
    caught_by_crash(Mutation::CommitBeforeFinish);
}

#[test]
fn a_skipped_writer_check_is_caught() {
    caught_by_cluster(Mutation::SkipWriterCheck);
}

#[test]
fn a_rebased_flush_is_caught() {
    caught_by_cluster(Mutation::RebaseFlush);
}

#[test]
fn a_sweep_that_ignores_epochs_is_caught() {
    caught_by_cluster(Mutation::SweepAnyEpoch);
}

#[test]
fn a_log_that_is_released_before_the_swap_applied_is_caught() {
    caught_by_cluster(Mutation::ReleaseBeforeApplied);
}

#[test]
fn a_head_that_is_dropped_before_its_object_is_published_is_caught() {
    caught_by_cluster(Mutation::DropHeadEarly);
}

#[test]
fn an_object_that_is_published_beside_its_head_is_caught() {
    caught_by_cluster(Mutation::PublishBoth);
}

#[test]
fn a_merge_of_inputs_that_left_is_caught() {
    caught_by_cluster(Mutation::MergeStaleInputs);
}

#[test]
fn a_follower_that_drops_part_of_a_generation_is_caught() {
    caught_by_cluster(Mutation::DropPartOfGeneration);
}

#[test]
fn a_deletion_before_the_swap_applied_is_caught() {
    caught_by_cluster(Mutation::DeleteBeforeApplied);
}
