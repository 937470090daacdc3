//! From a bucket's index to its upper bound.

use std::sync::LazyLock;

use crate::number::ldexp;

/// The schema of histograms with custom bounds.
pub const CUSTOM_SCHEMA: i32 = -53;

/// Whether `schema` is one of the exponential ones.
#[must_use]
pub fn is_exponential(schema: i32) -> bool {
    (-4..=8).contains(&schema)
}

/// Half of 2^(2^-n) for n = 1…8, with the last bit as Prometheus has it: its bounds must be ours.
const HALF_FACTORS: [f64; 8] = [
    0.7071067811865475,
    0.5946035575013605,
    0.5452538663326288,
    0.5221368912137069,
    0.5109485743270583,
    0.5054446430258502,
    0.5027149505564014,
    0.5013556375251013,
];

/// For each schema from 0 to 8 the bounds from 0.5 up to, not including, 1.
static FRACTIONS: LazyLock<Vec<Vec<f64>>> = LazyLock::new(|| {
    let mut all = vec![vec![0.5]];
    for half in HALF_FACTORS {
        let coarser = all.last().cloned().unwrap_or_default();
        let fine = coarser.iter().flat_map(|b| [*b, b * (half * 2.0)]).collect();
        all.push(fine);
    }
    all
});

/// The upper bound of a bucket above zero.
pub(super) fn bound(index: i32, schema: i32, custom: &[f64]) -> f64 {
    if schema == CUSTOM_SCHEMA { custom_bound(index, custom) } else { exponential_bound(index, schema) }
}

fn custom_bound(index: i32, custom: &[f64]) -> f64 {
    match usize::try_from(index) {
        Err(_) => f64::NEG_INFINITY,
        Ok(index) => custom.get(index).copied().unwrap_or(f64::INFINITY),
    }
}

/// The last bucket of finite observations ends at the greatest finite float, the one after it at infinity.
pub(super) fn exponential_bound(index: i32, schema: i32) -> f64 {
    let Ok(fine) = u32::try_from(schema) else {
        let exponent = i64::from(index) << schema.unsigned_abs().min(32);
        return match exponent {
            1024 => f64::MAX,
            e => ldexp(1.0, i32::try_from(e.clamp(-4000, 4000)).unwrap_or(0)),
        };
    };
    let fine = fine.min(8);
    let fractions = FRACTIONS.get(fine as usize).map_or(&[][..], Vec::as_slice);
    let within = usize::try_from(index & ((1 << fine) - 1)).unwrap_or(0);
    let fraction = fractions.get(within).copied().unwrap_or(0.5);
    match (fraction, (index >> fine) + 1) {
        (0.5, 1025) => f64::MAX,
        (fraction, exponent) => ldexp(fraction, exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::{bound, exponential_bound};

    #[test]
    fn bounds_are_powers_of_two_with_steps_between() {
        for (index, schema, expected) in [
            (0, 0, 1.0),
            (1, 0, 2.0),
            (-1, 0, 0.5),
            (-1, 1, 0.7071067811865475),
            (2, 1, 2.0),
            (3, 2, 1.6817928305074288),
            (1, -1, 4.0),
            (2, -4, 4294967296.0),
            (1024, 0, f64::MAX),
            (1025, 0, f64::INFINITY),
            (64, -4, f64::MAX),
            (65, -4, f64::INFINITY),
            (1024 << 8, 8, f64::MAX),
        ] {
            assert_eq!(exponential_bound(index, schema), expected, "index {index} of schema {schema}");
        }
        let custom = [1.0, 2.5];
        assert_eq!(
            [-1, 0, 1, 2].map(|i| bound(i, -53, &custom)),
            [f64::NEG_INFINITY, 1.0, 2.5, f64::INFINITY]
        );
    }
}
