//! Death at every operation, and loss of power by seed.

use runtime_files::sim::Operation;

use crate::world::{Checked, World, expect};

/// A life of `steps` random steps that ends early when the process dies.
pub(crate) fn live(world: &mut World, steps: usize) -> Checked {
    for _ in 0..steps {
        if world.files.is_crashed() {
            return Ok(());
        }
        if let Err(wrong) = world.step()
            && !world.files.is_crashed()
        {
            return Err(wrong);
        }
    }
    Ok(())
}

/// Opens and lives, and dies at operation `at` if it comes to that.
fn until(world: &mut World, at: u64, steps: usize) -> Checked {
    world.files.crash_at(at);
    if let Err(wrong) = world.open() {
        return if world.files.is_crashed() { Ok(()) } else { Err(wrong) };
    }
    live(world, steps)
}

#[test]
fn a_crash_at_every_operation_loses_nothing_acknowledged() {
    const STEPS: usize = 120;
    for seed in 7..9 {
        let mut whole = World::new(seed);
        expect(until(&mut whole, u64::MAX, STEPS), "without a crash", seed);
        let operations = whole.files.operations();
        assert!(operations > 150, "the workload is too small: {operations} operations");
        println!("crashing at each of {operations} operations, seed {seed}");
        for at in 0..operations {
            for power_loss in [None, Some(at), Some(at + 1_000_000)] {
                let mut world = World::new(seed);
                let what = format!("crash at {at}, power loss {power_loss:?}");
                expect(until(&mut world, at, STEPS), &what, seed);
                expect(world.survive(power_loss), &what, seed);
                expect(world.survive(Some(at)), &format!("{what}, then another"), seed);
            }
        }
    }
}

/// Several lives with random faults; each ends with a kill or a power loss.
pub(crate) fn lives(mut world: World) -> Checked {
    world.open()?;
    for _ in 0..4 {
        match world.dice.below(4) {
            0 => world.files.fail_one_in(Some(20)),
            1 => {
                let times = world.dice.below(3) as u32;
                world.files.fail_next(Operation::Sync, times);
            }
            2 => world.files.crash_at(world.files.operations() + world.dice.below(80)),
            _ => {}
        }
        live(&mut world, 50)?;
        world.files.fail_one_in(None);
        world.check_trace()?;
        let power_loss = (world.dice.below(3) > 0).then(|| world.dice.next());
        world.survive(power_loss)?;
    }
    world.check_trace()
}

#[test]
fn hundreds_of_power_losses_and_failures_lose_nothing_acknowledged() {
    // `LOG_SIMULATION_SEEDS=100000` for a long run
    let seeds = std::env::var("LOG_SIMULATION_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(600);
    println!("seeds 0..{seeds}");
    for seed in 0..seeds {
        expect(lives(World::new(seed)), "lives", seed);
    }
}
