//! Numbers and durations as Go and Prometheus write and read them.
//!
//! Knows: `strconv`'s and `fmt`'s formats, Prometheus' duration notation. Must not know: who prints what. Digits are
//! always the shortest that read back as the same number; the formats differ in when they turn to an exponent.

mod duration;
mod time;

pub use duration::{DurationError, format_millis, parse_millis};
pub use time::rfc3339;

/// `FormatFloat(v, 'f', -1, 64)`: never an exponent.
#[must_use]
pub fn fixed(value: f64) -> String {
    special(value).map_or_else(|| value.to_string(), str::to_owned)
}

/// `%g` and `%v`: an exponent below 1e-4 and from 1e6 on.
#[must_use]
pub fn general(value: f64) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let (digits, exponent) = shortest(value);
    if (-4..6).contains(&exponent) { value.to_string() } else { scientific(value, &digits, exponent) }
}

/// `%.<digits>g`: so many significant digits, no zeros after the last.
#[must_use]
pub fn significant(value: f64, digits: usize) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let text = format!("{:.*e}", digits.saturating_sub(1), value);
    let rounded: f64 = text.parse().unwrap_or(value);
    let (kept, exponent) = shortest(rounded);
    let limit = i32::try_from(digits).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= limit {
        scientific(rounded, &kept, exponent)
    } else {
        rounded.to_string()
    }
}

/// `FormatFloat(v, 'e', -1, 64)`: always an exponent.
#[must_use]
pub fn exponent(value: f64) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let (digits, exponent) = shortest(value);
    scientific(value, &digits, exponent)
}

/// What Prometheus' JSON holds: an exponent below 1e-6 and from 1e21 on.
#[must_use]
pub fn json(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) { exponent(value) } else { fixed(value) }
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

/// The shortest digits without sign or point, and the power of ten of the first one.
fn shortest(value: f64) -> (String, i32) {
    let text = format!("{:e}", value.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn scientific(value: f64, digits: &str, exponent: i32) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    let point = if rest.is_empty() { "" } else { "." };
    let power = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{power}{:02}", exponent.abs())
}

/// Reads a number as Prometheus' parser does: integers in base 2, 8, 10 or 16, else a float; `_` may part digits.
#[must_use]
pub fn parse(text: &str) -> Option<f64> {
    integer(text).or_else(|| float(text))
}

/// `ParseInt(text, 0, 64)`.
fn integer(text: &str) -> Option<f64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some(p) if p.starts_with('0') => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if !underscores_part_digits(&lower) {
        return None;
    }
    let value = u64::from_str_radix(&body.replace('_', ""), radix).ok()?;
    let limit = if negative { 1 << 63 } else { (1 << 63) - 1 };
    if value > limit || body.starts_with('+') {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
    let size = value as f64;
    Some(if negative { -size } else { size })
}

/// Whether every underscore stands between digits, or between the prefix of a base and a digit.
fn underscores_part_digits(text: &str) -> bool {
    if !text.contains('_') {
        return true;
    }
    let bytes = text.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_alphanumeric);
    bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'_')
        .all(|(i, _)| digit(i.checked_sub(1)) && digit(Some(i + 1)))
}

/// `ParseFloat(text, 64)`: decimal and hexadecimal floats, `inf` and `nan` in any case.
#[must_use]
pub fn float(text: &str) -> Option<f64> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    if !underscores_part_digits(bare) {
        return None;
    }
    let lower = bare.to_ascii_lowercase().replace('_', "");
    let size = match lower.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => return Some(f64::from_bits(0x7ff8_0000_0000_0001)),
        hex if hex.starts_with("0x") => hexadecimal(hex.get(2..)?)?,
        _ => {
            let plain = lower.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
            let value: f64 = if plain { lower.parse().ok()? } else { return None };
            // Go refuses what does not fit, Rust rounds it to infinity
            if value.is_infinite() {
                return None;
            }
            value
        }
    };
    Some(if negative { -size } else { size })
}

/// `1.8p3` without its prefix; the exponent is required.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0.0f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let value = ldexp(value, exponent.checked_sub(places)?);
    (value.is_finite() && !(whole.is_empty() && fraction.is_empty())).then_some(value)
}

/// Seconds as whole milliseconds: rounded to nanoseconds first and then cut, as Prometheus does.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "saturates, and callers have checked the range")]
pub fn seconds_to_millis(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64 / 1_000_000
}

/// `fraction` × 2^`exponent`, without overflow on the way.
#[must_use]
pub fn ldexp(fraction: f64, exponent: i32) -> f64 {
    let exponent = exponent.clamp(-2200, 2200);
    let third = exponent / 3;
    fraction * 2f64.powi(third) * 2f64.powi(third) * 2f64.powi(exponent - 2 * third)
}

#[cfg(test)]
mod tests {
    use super::{exponent, fixed, general, json, parse};

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (value, f, g, e) in [
            (0.0, "0", "0", "0e+00"),
            (-0.0, "-0", "-0", "-0e+00"),
            (1.0, "1", "1", "1e+00"),
            (100_000.0, "100000", "100000", "1e+05"),
            (1e20, "100000000000000000000", "1e+20", "1e+20"),
            (1e21, "1000000000000000000000", "1e+21", "1e+21"),
            (1_234_567.5, "1234567.5", "1.2345675e+06", "1.2345675e+06"),
            (0.0001, "0.0001", "0.0001", "1e-04"),
            (0.000_01, "0.00001", "1e-05", "1e-05"),
            (1.5e-7, "0.00000015", "1.5e-07", "1.5e-07"),
            (f64::INFINITY, "+Inf", "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf", "-Inf"),
            (f64::NAN, "NaN", "NaN", "NaN"),
        ] {
            assert_eq!((fixed(value), general(value), exponent(value)), (f.into(), g.into(), e.into()));
        }
        assert_eq!((json(1e-7), json(1e-6), json(1e21)), ("1e-07".into(), "0.000001".into(), "1e+21".into()));
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, value) in [
            ("1", Some(1.0)),
            ("0755", Some(493.0)),
            ("0x1F", Some(31.0)),
            ("0X_1FFFP-16", Some(0.124_984_741_210_937_5)),
            ("0x1p3", Some(8.0)),
            ("1_000", Some(1000.0)),
            ("1_000.5", Some(1000.5)),
            ("_1", None),
            ("1__0", None),
            ("0x1_0", Some(16.0)),
            ("-5.5", Some(-5.5)),
            ("1e500", None),
            ("+Inf", Some(f64::INFINITY)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("09.5", Some(9.5)),
            ("08", Some(8.0)),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(parse(text), value, "{text}");
        }
        assert!(parse("nan").is_some_and(f64::is_nan));
    }
}
