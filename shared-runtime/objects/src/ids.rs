//! Fresh object ids, and the dice of the simulated media.
//!
//! Knows: randomness. Must not know: anything else. Start at [`Ids`].

use std::sync::{Mutex, PoisonError};

use runtime_engine::ObjectId;

/// Where fresh object ids come from. Ids of [`Ids::random`] are unique for ever; those of [`Ids::seeded`] are the same
/// in every run of a simulation, which must give each restart of a replica another seed.
#[derive(Debug)]
pub struct Ids(Source);

#[derive(Debug)]
enum Source {
    Random,
    Seeded(Mutex<Dice>),
}

impl Ids {
    /// Ids from the operating system's randomness.
    #[must_use]
    pub fn random() -> Self {
        Self(Source::Random)
    }

    /// Ids that are a function of `seed`, for simulations.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Mutex::new(Dice::new(seed))))
    }

    pub(crate) fn fresh(&self) -> ObjectId {
        match &self.0 {
            Source::Random => ObjectId(rand::random()),
            Source::Seeded(dice) => {
                let mut dice = dice.lock().unwrap_or_else(PoisonError::into_inner);
                ObjectId(u128::from(dice.roll()) << 64 | u128::from(dice.roll()))
            }
        }
    }
}

/// A deterministic stream of numbers: splitmix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
/// generators").
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with a chance of `per_mille` in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.roll() % 1000 < u64::from(per_mille)
    }
}
