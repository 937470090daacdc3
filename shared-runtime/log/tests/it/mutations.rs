//! Each rule of the log broken on purpose: the simulation must notice.

use runtime_engine::{Offset, Partition};
use runtime_log::{LogReader, Mutation};

use crate::crash::lives;
use crate::world::{Checked, PARTITIONS, World};

/// Seeds that a mutation gets at most before it counts as unnoticed.
const SEEDS: u64 = 600;

fn caught_by_lives(mutation: Mutation) {
    let caught = (0..SEEDS).find_map(|seed| {
        let wrong = lives(World::new(seed).with_mutation(mutation)).err()?;
        Some((seed, wrong))
    });
    let (seed, wrong) = caught.unwrap_or_else(|| panic!("{mutation:?} was not noticed in {SEEDS} seeds"));
    println!("{mutation:?} noticed at seed {seed}: {wrong}");
}

#[test]
fn acknowledging_without_a_sync_is_caught() {
    caught_by_lives(Mutation::SkipSync);
}

#[test]
fn acknowledging_in_a_file_without_a_durable_name_is_caught() {
    caught_by_lives(Mutation::SkipDirSync);
}

#[test]
fn acknowledging_before_the_write_is_caught() {
    caught_by_lives(Mutation::AckBeforeWrite);
}

#[test]
fn retrying_a_failed_sync_is_caught() {
    caught_by_lives(Mutation::RetrySync);
}

#[test]
fn going_on_in_a_poisoned_file_is_caught() {
    caught_by_lives(Mutation::KeepPoisonedFile);
}

#[test]
fn delivering_what_a_killed_process_left_unsynced_is_caught() {
    caught_by_lives(Mutation::SkipSyncAtOpen);
}

#[test]
fn giving_refused_offsets_to_others_is_caught() {
    caught_by_lives(Mutation::ReuseRefusedOffsets);
}

#[test]
fn releasing_what_a_partition_still_needs_is_caught() {
    caught_by_lives(Mutation::ReleaseTooMuch);
}

/// A log that lost its newest file may not go on below the roots.
fn floor_scenario(mutation: Option<Mutation>) -> Checked {
    let mut world = World::new(3);
    if let Some(mutation) = mutation {
        world = world.with_mutation(mutation);
    }
    world.open()?;
    for _ in 0..20 {
        world.append()?;
    }
    let end = world.log().durable_end();
    world.roots = vec![end; PARTITIONS as usize];
    world.log().close();
    world.log = None;
    let newest = world.log_files().pop().unwrap();
    runtime_files::Files::remove(&world.files, &newest).unwrap();
    world.open()?;
    world.append()?;
    Ok(())
}

#[test]
fn going_on_below_a_root_is_caught() {
    floor_scenario(None).unwrap();
    let wrong = floor_scenario(Some(Mutation::IgnoreFloor)).unwrap_err();
    assert!(wrong.contains("a second time"), "{wrong}");
}

/// One flipped bit in a stored payload.
fn flip_scenario(mutation: Option<Mutation>) -> Checked {
    for bit in 0..64 {
        let mut world = World::new(5);
        if let Some(mutation) = mutation {
            world = world.with_mutation(mutation);
        }
        world.open()?;
        for _ in 0..12 {
            world.append()?;
        }
        world.log().close();
        world.log = None;
        let first = world.log_files()[0].clone();
        assert!(world.files.flip_bit(&first, (40 + 44 + 7) * 8 + bit));
        world.open()?;
        for partition in 0..PARTITIONS {
            let (records, _) = world.read(Partition(partition), Offset(0))?;
            world.check_sent(Partition(partition), &records)?;
        }
    }
    Ok(())
}

#[test]
fn delivering_unsummed_bodies_is_caught() {
    flip_scenario(None).unwrap();
    let wrong = flip_scenario(Some(Mutation::SkipBodySum)).unwrap_err();
    assert!(wrong.contains("phantom"), "{wrong}");
}
