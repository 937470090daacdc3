//! `time.Duration`: parsing and printing.
//!
//! Knows: Go's duration grammar, nanoseconds in 64 bits. Must not know: what lasts that long. Start at
//! [`parse_duration`].

use super::quote;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// `time.ParseDuration`, in nanoseconds: a signed sequence of decimal numbers with units, such as `1.5h`, `-2m30s`.
///
/// # Errors
/// Go's text.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text.as_bytes()));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (nanos, tail) = term(text, rest).map_err(|e| e.unwrap_or_else(invalid))?;
        total = total.checked_add(nanos).filter(|t| *t <= 1 << 63).ok_or_else(invalid)?;
        rest = tail;
    }
    let signed = if negative { -i128::from(total) } else { i128::from(total) };
    i64::try_from(signed).map_err(|_too_long| invalid())
}

/// One number with its unit from the front of `rest`; an error without a text is plainly invalid.
fn term<'a>(whole: &str, rest: &'a str) -> Result<(u64, &'a str), Option<String>> {
    let split = |s: &'a str, until: fn(char) -> bool| s.split_at(s.find(until).unwrap_or(s.len()));
    let (integer, tail) = split(rest, |c| !c.is_ascii_digit());
    let (fraction, tail) = match tail.strip_prefix('.') {
        Some(after) => split(after, |c| !c.is_ascii_digit()),
        None => ("", tail),
    };
    if integer.is_empty() && fraction.is_empty() {
        return Err(None);
    }
    let (unit, tail) = split(tail, |c| c == '.' || c.is_ascii_digit());
    let scale = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "" => return Err(Some(format!("time: missing unit in duration {}", quote(whole.as_bytes())))),
        other => {
            let (unit, whole) = (quote(other.as_bytes()), quote(whole.as_bytes()));
            return Err(Some(format!("time: unknown unit {unit} in duration {whole}")));
        }
    };
    let integer: u64 = if integer.is_empty() { 0 } else { integer.parse().map_err(|_overflow| None)? };
    let nanos =
        integer.checked_mul(scale).ok_or(None)?.checked_add(fraction_nanos(fraction, scale)).ok_or(None)?;
    Ok((nanos, tail))
}

/// The part after the point, cut to whole nanoseconds. Digits after the eighteenth cannot change one: an hour has
/// 3.6e12.
fn fraction_nanos(digits: &str, scale: u64) -> u64 {
    let (value, places) = digits
        .bytes()
        .take(18)
        .fold((0_u128, 1_u128), |(value, places), d| (value * 10 + u128::from(d - b'0'), places * 10));
    u64::try_from(value * u128::from(scale) / places).unwrap_or(0)
}

/// `time.Duration.String`: `545ms`, `-4.955s`, `1h2m3s`, `0s`.
pub(crate) fn format_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    match n {
        0 => "0s".to_owned(),
        n if n < MICROSECOND => format!("{sign}{n}ns"),
        n if n < MILLISECOND => format!("{sign}{}µs", decimal(n, MICROSECOND)),
        n if n < SECOND => format!("{sign}{}ms", decimal(n, MILLISECOND)),
        n => {
            let (hours, minutes) = (n / HOUR, n % HOUR / MINUTE);
            let seconds = decimal(n % MINUTE, SECOND);
            match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, m) => format!("{sign}{m}m{seconds}s"),
                (h, m) => format!("{sign}{h}h{m}m{seconds}s"),
            }
        }
    }
}

/// `n / unit` with as many decimals as it has.
fn decimal(n: u64, unit: u64) -> String {
    let width = usize::try_from(unit.ilog10()).unwrap_or(0);
    let text = format!("{}.{:0width$}", n / unit, n % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let check = |text: &str, nanos: i64| assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        check("0", 0);
        check("1ns", 1);
        check("1us", 1_000);
        check("1µs", 1_000);
        check("1.5us", 1_500);
        check("1.001ms", 1_001_000);
        check("0.1s", 100_000_000);
        check(".5s", 500_000_000);
        check("1m0s", 60_000_000_000);
        check("-1s", -1_000_000_000);
        check("1h2m3.004s", 3_723_004_000_000);
        check("0.25h", 900_000_000_000);
        check("1.0000000000000000000000001s", 1_000_000_000);
        check("-9223372036854775808ns", i64::MIN);
    }

    #[test]
    fn bad_durations_fail_with_gos_words() {
        let check =
            |text: &str, expect: &str| assert_eq!(parse_duration(text).unwrap_err(), expect, "{text}");
        check("5", r#"time: missing unit in duration "5""#);
        check("x", r#"time: invalid duration "x""#);
        check("", r#"time: invalid duration """#);
        check("-", r#"time: invalid duration "-""#);
        check(".s", r#"time: invalid duration ".s""#);
        check("1d", r#"time: unknown unit "d" in duration "1d""#);
        check("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#);
        check("99999999999999999999s", r#"time: invalid duration "99999999999999999999s""#);
    }

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        let check = |nanos: i64, expect: &str| assert_eq!(format_duration(nanos), expect);
        check(0, "0s");
        check(7, "7ns");
        check(1_500, "1.5µs");
        check(545_000_000, "545ms");
        check(-4_955_000_000, "-4.955s");
        check(2_000_000_000, "2s");
        check(3_723_004_000_000, "1h2m3.004s");
        check(i64::MIN, "-2562047h47m16.854775808s");
    }
}
