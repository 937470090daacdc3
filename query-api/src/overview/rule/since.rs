//! Since when something is not as it was.
//!
//! Knows: counts by step. Must not know: what they count. Start at [`since`].

/// The first step of the stretch up to the end in which `hits` outnumber `share` of the calls by most: where the change
/// is. `steps` are (number, calls, hits), ascending. Nothing when no stretch does, or when it was so from the first
/// step on, for then the change lies before the window.
pub(super) fn since(steps: &[(u32, u64, u64)], share: f64) -> Option<u32> {
    let (mut sum, mut best) = (0.0, (0.0, None));
    for (step, calls, hits) in steps.iter().rev() {
        sum += *hits as f64 - share * *calls as f64;
        if sum > best.0 {
            best = (sum, Some(*step));
        }
    }
    let first = steps.first().map(|(step, _, _)| *step);
    best.1.filter(|step| Some(*step) != first)
}

#[cfg(test)]
mod tests {
    use super::since;

    #[test]
    fn a_change_is_found_where_it_began() {
        let steps =
            |hits: [u64; 6]| (0..).zip(hits).map(|(step, hits)| (step, 100, hits)).collect::<Vec<_>>();
        assert_eq!(since(&steps([0, 1, 0, 20, 25, 30]), 0.1), Some(3));
        assert_eq!(since(&steps([1, 12, 0, 0, 25, 30]), 0.1), Some(4));
        assert_eq!(since(&steps([0, 0, 40, 0, 40, 40]), 0.15), Some(2));
        assert_eq!(since(&steps([30; 6]), 0.1), None, "before the window");
        assert_eq!(since(&steps([0; 6]), 0.1), None);
        assert_eq!(since(&[], 0.1), None);
    }
}
