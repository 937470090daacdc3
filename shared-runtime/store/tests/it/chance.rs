//! Dice that a seed decides.

use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// How many seeds a simulation runs: `usual` in CI, `SIM_SEEDS` in a soak.
pub(crate) fn seeds(usual: u64) -> u64 {
    std::env::var("SIM_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(usual)
}

/// Fixed seeds first, then a quarter of fresh ones.
pub(crate) fn each_seed(usual: u64) -> Vec<u64> {
    let n = seeds(usual);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let mut fresh = Dice::new(u64::try_from(now % u128::from(u64::MAX)).unwrap());
    (0..n - n / 4).chain((0..n / 4).map(|_| fresh.roll() >> 16)).collect()
}
