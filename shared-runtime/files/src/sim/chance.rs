//! Random choices that a seed repeats.
//!
//! Knows: numbers. Must not know: what is chosen. Start at [`Chance`].

/// SplitMix64 (Steele, Lea and Flood 2014): small, and good enough to choose faults.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Choices of one seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..=most`; the small bias does not matter here.
    pub(crate) fn up_to(&mut self, most: usize) -> usize {
        let span = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        usize::try_from(self.next() % span).unwrap_or(most)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.up_to(n.saturating_sub(1)) == 0
    }
}
