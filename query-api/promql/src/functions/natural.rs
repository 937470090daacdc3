//! The order of label values in `sort_by_label`: digits compare as numbers, everything else as text.

use std::cmp::Ordering;

/// Compares run by run: runs of digits by value, others byte by byte.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() && !b.is_empty() {
        let (run_a, rest_a) = run(a);
        let (run_b, rest_b) = run(b);
        let order = match (run_a.first(), run_b.first()) {
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => numbers(run_a, run_b),
            _ => run_a.cmp(run_b),
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.len().cmp(&b.len())
}

fn run(text: &[u8]) -> (&[u8], &[u8]) {
    let digit = text.first().is_some_and(u8::is_ascii_digit);
    let end = text.iter().position(|c| c.is_ascii_digit() != digit).unwrap_or(text.len());
    text.split_at(end)
}

fn numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| digits.iter().position(|&c| c != b'0').unwrap_or(digits.len());
    let (zeros_a, zeros_b) = (significant(a), significant(b));
    let (digits_a, digits_b) = (a.get(zeros_a..).unwrap_or_default(), b.get(zeros_b..).unwrap_or_default());
    digits_a
        .len()
        .cmp(&digits_b.len())
        .then_with(|| digits_a.cmp(digits_b))
        .then_with(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_inside_text_compare_as_numbers() {
        let mut names = ["a10", "a2", "b1", "a", "10", "9"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["9", "10", "a", "a2", "a10", "b1"]);
    }
}
