//! Prometheus' durations: `1h30m`, units from `y` down to `ms`, each at most once and in that order.

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Prometheus keeps durations in nanoseconds; what does not fit there is too long.
const MILLIS_MAX: i64 = i64::MAX / 1_000_000;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// There is no text.
    #[error("empty duration string")]
    Empty,
    /// It has another shape.
    #[error("not a valid duration string: {}", crate::quote::quoted(.0))]
    Malformed(String),
    /// It is longer than nanoseconds can say.
    #[error("duration out of range")]
    OutOfRange,
}

/// Reads a duration; `0` needs no unit.
///
/// # Errors
/// When the text is empty, malformed, or too long a time.
pub fn parse_millis(text: &str) -> Result<i64, DurationError> {
    match text {
        "" => return Err(DurationError::Empty),
        "0" => return Ok(0),
        _ => {}
    }
    let malformed = || DurationError::Malformed(text.to_owned());
    let mut rest = text;
    let mut total = 0i64;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) =
            rest.split_at_checked(digits).filter(|(n, _)| !n.is_empty()).ok_or_else(malformed)?;
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = tail.split_at_checked(letters).ok_or_else(malformed)?;
        let (_, millis) = units.find(|(name, _)| *name == unit).ok_or_else(malformed)?;
        let number: i64 = number.parse().ok().ok_or(DurationError::OutOfRange)?;
        total = number
            .checked_mul(*millis)
            .and_then(|n| total.checked_add(n))
            .filter(|n| *n <= MILLIS_MAX)
            .ok_or(DurationError::OutOfRange)?;
        rest = after;
    }
    Ok(total)
}

/// Writes a duration as Prometheus does: weeks and years only when nothing is left over, `0s` for none.
#[must_use]
pub fn format_millis(millis: i64) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = if millis < 0 { "-".to_owned() } else { String::new() };
    let mut left = millis.unsigned_abs();
    for (unit, size) in UNITS {
        let size = size.unsigned_abs();
        let exact = matches!(unit, "y" | "w");
        if (exact && !left.is_multiple_of(size)) || left < size {
            continue;
        }
        text.push_str(&format!("{}{unit}", left / size));
        left %= size;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{DurationError, format_millis, parse_millis};

    #[test]
    fn durations_are_read_and_written_back() {
        for text in ["1y", "2w", "1d", "1h30m", "90s", "1d12h", "500ms", "8d", "0s"] {
            let millis = parse_millis(text).unwrap();
            assert_eq!(parse_millis(&format_millis(millis)), Ok(millis), "{text}");
        }
        assert_eq!(format_millis(5_400_000), "1h30m");
        assert_eq!(format_millis(14 * 86_400_000), "2w");
        assert_eq!(format_millis(15 * 86_400_000), "15d");
    }

    #[test]
    fn malformed_durations_are_refused() {
        for text in ["1", "1x", "m", "1s1m", "1.5m", "-1m", "1m1m"] {
            assert_eq!(parse_millis(text), Err(DurationError::Malformed(text.into())));
        }
        assert_eq!(parse_millis("300y"), Err(DurationError::OutOfRange));
    }
}
