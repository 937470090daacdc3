//! Durations as histograms: exponential buckets, how they are packed, and quantiles.
//!
//! Knows: the buckets and the packed form that `docs/wire.md` describes. Must not know: what lasted that long. Start at
//! [`Durations`]; [`Dense`] adds many packed ones up.

use std::fmt;

/// Buckets that a duration of 64 bits can fall into.
pub const BUCKETS: usize = 514;
/// Buckets per power of two, as the exponential histograms of scale 3 have.
const PER_OCTAVE: u32 = 8;
/// 2^63 · 2^(k/8) for k = 1 … 7: where the buckets of a power of two end, scaled to its leading bit.
const BOUNDS: [u64; 7] = [
    0x8b95_c1e3_ea8b_d6e6,
    0x9837_f051_8db8_a96f,
    0xa5fe_d6a9_b151_38ea,
    0xb504_f333_f9de_6484,
    0xc567_2a11_5506_dadd,
    0xd744_fcca_d69d_6af4,
    0xeac0_c6e7_dd24_392e,
];

/// The bucket of a duration in nanoseconds.
#[must_use]
pub fn bucket_of(nanos: u64) -> u16 {
    if nanos == 0 {
        return 0;
    }
    let zeros = nanos.leading_zeros();
    let exponent = 63 - zeros;
    let scaled = nanos << zeros;
    let mut index = exponent * PER_OCTAVE;
    if scaled > 1 << 63 {
        index += 1;
        for bound in BOUNDS {
            index += u32::from(scaled > bound);
        }
    }
    // at most 63 · 8 + 8
    u16::try_from(index + 1).unwrap_or(u16::MAX)
}

/// Lower (exclusive) and upper (inclusive) bound of a bucket in nanoseconds.
#[must_use]
pub fn bounds_of(bucket: u16) -> (f64, f64) {
    let Some(index) = bucket.checked_sub(1) else { return (0.0, 0.0) };
    let bound = |index: f64| (index / f64::from(PER_OCTAVE)).exp2();
    let upper = bound(f64::from(index));
    (if index == 0 { 0.0 } else { bound(f64::from(index) - 1.0) }, upper)
}

/// Bytes that are not a packed histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPacked {
    /// Where they stop to be one.
    pub at: usize,
}

impl fmt::Display for NotPacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packed durations end or go wrong at byte {}", self.at)
    }
}

impl std::error::Error for NotPacked {}

/// A histogram in few bytes: the buckets that hold something, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations(Vec<(u16, u64)>);

impl Durations {
    /// Counts one duration.
    pub fn add(&mut self, nanos: u64) {
        self.add_bucket(bucket_of(nanos), 1);
    }

    /// Counts `count` durations of a bucket.
    pub fn add_bucket(&mut self, bucket: u16, count: u64) {
        let at = self.0.partition_point(|(known, _)| *known < bucket);
        match self.0.get_mut(at) {
            Some((known, counted)) if *known == bucket => *counted = counted.saturating_add(count),
            _ => self.0.insert(at, (bucket, count)),
        }
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            self.add_bucket(*bucket, *count);
        }
    }

    /// Reads a packed histogram.
    ///
    /// # Errors
    /// [`NotPacked`] with the place.
    pub fn unpack(bytes: &[u8]) -> Result<Self, NotPacked> {
        let mut buckets = Vec::new();
        each(bytes, |bucket, count| buckets.push((bucket, count)))?;
        Ok(Self(buckets))
    }

    /// Appends the packed form.
    pub fn pack(&self, out: &mut Vec<u8>) {
        pack(self.0.iter().copied(), out);
    }

    /// How many durations it counts.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Buckets that hold something, ascending, with their counts.
    pub fn buckets(&self) -> impl Iterator<Item = (u16, u64)> {
        self.0.iter().copied()
    }

    /// The `q`-quantile in nanoseconds, interpolated within its bucket as Prometheus does for exponential buckets;
    /// nothing when nothing was counted.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        if total == 0 {
            return None;
        }
        let rank = q.clamp(0.0, 1.0) * total as f64;
        let mut before = 0.0;
        for (bucket, count) in &self.0 {
            let count = *count as f64;
            if before + count >= rank {
                let (lower, upper) = bounds_of(*bucket);
                let part = ((rank - before) / count).clamp(0.0, 1.0);
                return Some(if lower > 0.0 {
                    lower * (upper / lower).powf(part)
                } else {
                    lower + (upper - lower) * part
                });
            }
            before += count;
        }
        self.0.last().map(|(bucket, _)| bounds_of(*bucket).1)
    }
}

/// A histogram with a place for every bucket: adds packed ones up without searching.
#[derive(Debug, Clone)]
pub struct Dense {
    counts: Vec<u64>,
    /// Buckets below this are empty.
    from: usize,
    /// Buckets from this on are empty.
    to: usize,
}

impl Default for Dense {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], from: BUCKETS, to: 0 }
    }
}

impl Dense {
    /// Adds a packed histogram.
    ///
    /// # Errors
    /// [`NotPacked`] with the place; what came before it is added.
    pub fn add_packed(&mut self, bytes: &[u8]) -> Result<(), NotPacked> {
        each(bytes, |bucket, count| self.change(bucket, |counted| counted.saturating_add(count)))
    }

    /// Takes a packed histogram away, as far as it is in there.
    ///
    /// # Errors
    /// [`NotPacked`] with the place; what came before it is taken away.
    pub fn remove_packed(&mut self, bytes: &[u8]) -> Result<(), NotPacked> {
        each(bytes, |bucket, count| self.change(bucket, |counted| counted.saturating_sub(count)))
    }

    fn change(&mut self, bucket: u16, change: impl Fn(u64) -> u64) {
        let at = usize::from(bucket);
        if let Some(counted) = self.counts.get_mut(at) {
            *counted = change(*counted);
            self.from = self.from.min(at);
            self.to = self.to.max(at + 1);
        }
    }

    /// Appends the packed form and starts anew.
    pub fn pack_out(&mut self, out: &mut Vec<u8>) {
        let held = self.counts.get(self.from..self.to).unwrap_or_default();
        let numbered = (self.from..).zip(held).filter(|(_, count)| **count > 0);
        pack(numbered.filter_map(|(at, count)| Some((u16::try_from(at).ok()?, *count))), out);
        self.clear();
    }

    /// Adds what it holds to `into` and starts anew.
    pub fn drain_into(&mut self, into: &mut Durations) {
        let held = self.counts.get(self.from..self.to).unwrap_or_default();
        for (at, count) in (self.from..).zip(held).filter(|(_, count)| **count > 0) {
            if let Ok(bucket) = u16::try_from(at) {
                into.add_bucket(bucket, *count);
            }
        }
        self.clear();
    }

    fn clear(&mut self) {
        if let Some(held) = self.counts.get_mut(self.from..self.to) {
            held.fill(0);
        }
        (self.from, self.to) = (BUCKETS, 0);
    }
}

fn pack(buckets: impl Iterator<Item = (u16, u64)>, out: &mut Vec<u8>) {
    let mut before = 0;
    for (bucket, count) in buckets {
        varint(out, u64::from(bucket - before));
        varint(out, count);
        before = bucket;
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Calls `take` for each bucket with its count.
fn each(bytes: &[u8], mut take: impl FnMut(u16, u64)) -> Result<(), NotPacked> {
    let (mut at, mut bucket) = (0, 0_u64);
    let mut first = true;
    while at < bytes.len() {
        let wrong = NotPacked { at };
        let step = read_varint(bytes, &mut at).ok_or(wrong)?;
        let count = read_varint(bytes, &mut at).ok_or(wrong)?;
        bucket = bucket.checked_add(step).filter(|b| *b < BUCKETS as u64).ok_or(wrong)?;
        if count == 0 || (step == 0 && !first) {
            return Err(wrong);
        }
        first = false;
        take(u16::try_from(bucket).map_err(|_too_large| wrong)?, count);
    }
    Ok(())
}

fn read_varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_bucket_whose_bounds_enclose_it() {
        assert_eq!((bucket_of(0), bucket_of(1), bucket_of(2)), (0, 1, 9));
        assert_eq!(usize::from(bucket_of(u64::MAX)), BUCKETS - 1);
        for shift in 0..63 {
            for nanos in [1_u64 << shift, (1 << shift) + (1 << shift) / 3, (2 << shift) - 1] {
                let (lower, upper) = bounds_of(bucket_of(nanos));
                // a double holds 53 bits of the 64
                let near = nanos as f64 * 1e-12;
                assert!(
                    lower < nanos as f64 + near && nanos as f64 <= upper + near,
                    "{nanos}: {lower}..{upper}"
                );
            }
        }
        assert!((1..2_000_000_u64).step_by(37).all(|n| bucket_of(n) <= bucket_of(n + 1)));
    }

    #[test]
    fn a_histogram_comes_back_as_it_was_packed() {
        let mut durations = Durations::default();
        for n in [0, 1, 5, 5, 1_000, 1_000_000, 1_000_000, 999_999, u64::MAX] {
            durations.add(n);
        }
        durations.add_bucket(77, u64::MAX / 2);
        let mut packed = Vec::new();
        durations.pack(&mut packed);
        assert_eq!(Durations::unpack(&packed), Ok(durations.clone()));
        let mut dense = Dense::default();
        dense.add_packed(&packed).unwrap();
        dense.add_packed(&packed).unwrap();
        dense.remove_packed(&packed).unwrap();
        let mut again = Vec::new();
        dense.clone().pack_out(&mut again);
        assert_eq!(again, packed);
        let mut drained = Durations::default();
        dense.drain_into(&mut drained);
        assert_eq!(drained, durations);
        again.clear();
        dense.pack_out(&mut again);
        assert!(again.is_empty());
    }

    #[test]
    fn bytes_that_are_no_histogram_are_refused() {
        let check = |bytes: &[u8]| assert!(Durations::unpack(bytes).is_err(), "{bytes:?}");
        check(&[5]);
        check(&[5, 0]);
        check(&[0x82, 0x04, 1]);
        check(&[5, 1, 0, 1]);
        check(&[0x80]);
        check(&[0xff; 12]);
        assert_eq!(Durations::unpack(&[]), Ok(Durations::default()));
    }

    #[test]
    fn quantiles_are_within_a_tenth() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile(0.5), None);
        (1..=1_000_u64).for_each(|n| durations.add(n * 1_000));
        for (q, exact) in [(0.5, 500_000.0), (0.95, 950_000.0), (0.99, 990_000.0), (1.0, 1_000_000.0)] {
            let found = durations.quantile(q).unwrap();
            assert!((found / exact - 1.0_f64).abs() < 0.1, "{q}: {found}");
        }
        let mut zeros = Durations::default();
        zeros.add(0);
        assert_eq!(zeros.quantile(0.99), Some(0.0));
    }
}
