//! `time.Time`: RFC 3339 in, Go's default text out.
//!
//! Knows: the proleptic Gregorian calendar. Must not know: time zones other than fixed offsets. Start at
//! [`parse_rfc3339`].

use super::quote;

const LAYOUT: &str = "2006-01-02T15:04:05.999999999Z07:00";
const SECOND_NANOS: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// `time.Parse(time.RFC3339Nano, text)`, in nanoseconds since the Unix epoch (which may be before it).
///
/// # Errors
/// Go's text.
pub(crate) fn parse_rfc3339(text: &str) -> Result<i128, String> {
    let mut at = Cursor { whole: text, rest: text.as_bytes() };
    let year = at.number(4, "2006")?;
    at.literal(b'-', "-")?;
    let month = at.number(2, "01")?;
    at.in_range(month, 1, 12, "month")?;
    at.literal(b'-', "-")?;
    let day = at.number(2, "02")?;
    at.literal(b'T', "T")?;
    let hour = at.number(2, "15")?;
    at.in_range(hour, 0, 23, "hour")?;
    at.literal(b':', ":")?;
    let minute = at.number(2, "04")?;
    at.in_range(minute, 0, 59, "minute")?;
    at.literal(b':', ":")?;
    let second = at.number(2, "05")?;
    at.in_range(second, 0, 59, "second")?;
    let fraction = at.fraction();
    let offset_seconds = at.zone()?;
    if !at.rest.is_empty() {
        let extra = quote(at.rest);
        return Err(format!("parsing time {}: extra text: {extra}", quote(text.as_bytes())));
    }
    at.in_range(day, 1, days_in_month(year, month), "day")?;
    let seconds = days_from_civil(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second
        - offset_seconds;
    Ok(i128::from(seconds) * SECOND_NANOS + i128::from(fraction))
}

struct Cursor<'a> {
    whole: &'a str,
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn failed(&self, element: &str) -> String {
        let (whole, rest) = (quote(self.whole.as_bytes()), quote(self.rest));
        format!(
            "parsing time {whole} as {}: cannot parse {rest} as {}",
            quote(LAYOUT.as_bytes()),
            quote(element.as_bytes())
        )
    }

    fn number(&mut self, width: usize, element: &str) -> Result<i64, String> {
        let digits = self.rest.get(..width).filter(|d| d.iter().all(u8::is_ascii_digit));
        let digits = digits.ok_or_else(|| self.failed(element))?;
        let value = digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
        self.rest = self.rest.get(width..).unwrap_or_default();
        Ok(value)
    }

    fn literal(&mut self, byte: u8, element: &str) -> Result<(), String> {
        match self.rest.split_first() {
            Some((first, tail)) if *first == byte => {
                self.rest = tail;
                Ok(())
            }
            _ => Err(self.failed(element)),
        }
    }

    fn in_range(&self, value: i64, min: i64, max: i64, what: &str) -> Result<(), String> {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        Err(format!("parsing time {}: {what} out of range", quote(self.whole.as_bytes())))
    }

    /// Nanoseconds after an optional `.` or `,`; digits after the ninth are cut.
    fn fraction(&mut self) -> i64 {
        let Some((b'.' | b',', tail)) = self.rest.split_first() else { return 0 };
        let count = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return 0;
        }
        let (digits, rest) = tail.split_at(count);
        self.rest = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        padded.fold(0, |n, d| n * 10 + i64::from(d - b'0'))
    }

    /// Seconds east of UTC.
    fn zone(&mut self) -> Result<i64, String> {
        if let Some((b'Z', tail)) = self.rest.split_first() {
            self.rest = tail;
            return Ok(0);
        }
        let malformed = self.failed("Z07:00");
        let sign = match self.rest.split_first() {
            Some((b'+', tail)) => (1, tail),
            Some((b'-', tail)) => (-1, tail),
            _ => return Err(malformed),
        };
        self.rest = sign.1;
        let hours = self.number(2, "Z07:00").map_err(|_short| malformed.clone())?;
        self.literal(b':', "Z07:00").map_err(|_short| malformed.clone())?;
        let minutes = self.number(2, "Z07:00").map_err(|_short| malformed)?;
        self.in_range(hours, 0, 24, "time zone offset hour")?;
        self.in_range(minutes, 0, 60, "time zone offset minute")?;
        Ok(sign.0 * (hours * 3_600 + minutes * 60))
    }
}

/// `time.Time.String` in UTC: `2026-11-22 16:45:15.000673115 +0000 UTC`.
pub(crate) fn format_time(unix_nano: u64) -> String {
    let (seconds, nanos) = (unix_nano / 1_000_000_000, unix_nano % 1_000_000_000);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let (year, month, day) = civil_from_days(seconds / DAY_SECONDS);
    let of_day = seconds % DAY_SECONDS;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let fraction = if nanos == 0 { String::new() } else { format!(".{nanos:09}") };
    let fraction = fraction.trim_end_matches('0');
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} +0000 UTC")
}

/// RFC 3339 in UTC, as protobuf's JSON writes a timestamp: `2026-11-22T16:45:15Z`, or with 3, 6 or 9 decimals.
pub(crate) fn format_rfc3339(unix_nano: u64) -> String {
    let whole =
        format_time(unix_nano - unix_nano % 1_000_000_000).replace(" +0000 UTC", "").replace(' ', "T");
    match unix_nano % 1_000_000_000 {
        0 => format!("{whole}Z"),
        nanos if nanos % 1_000_000 == 0 => format!("{whole}.{:03}Z", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!("{whole}.{:06}Z", nanos / 1_000),
        nanos => format!("{whole}.{nanos:09}Z"),
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        let check = |text: &str, nanos: i128| assert_eq!(parse_rfc3339(text), Ok(nanos), "{text}");
        check("1970-01-01T00:00:00Z", 0);
        check("2024-01-01T00:00:00.5Z", 1_704_067_200_500_000_000);
        check("2024-01-01T00:00:00+02:00", 1_704_060_000_000_000_000);
        check("2024-02-29T23:59:59.123456789012Z", 1_709_251_199_123_456_789);
        check("1969-12-31T23:59:59Z", -1_000_000_000);
    }

    #[test]
    fn bad_times_fail_with_gos_words() {
        let check = |text: &str, expect: &str| assert_eq!(parse_rfc3339(text).unwrap_err(), expect, "{text}");
        let layout = r#""2006-01-02T15:04:05.999999999Z07:00""#;
        check("x", &format!(r#"parsing time "x" as {layout}: cannot parse "x" as "2006""#));
        check("2024-01-01", &format!(r#"parsing time "2024-01-01" as {layout}: cannot parse "" as "T""#));
        check(
            "2024-01-01 00:00:00Z",
            &format!(r#"parsing time "2024-01-01 00:00:00Z" as {layout}: cannot parse " 00:00:00Z" as "T""#),
        );
        check(
            "2024-01-01T00:00:00",
            &format!(r#"parsing time "2024-01-01T00:00:00" as {layout}: cannot parse "" as "Z07:00""#),
        );
        check("2024-13-01T00:00:00Z", r#"parsing time "2024-13-01T00:00:00Z": month out of range"#);
        check("2023-02-29T00:00:00Z", r#"parsing time "2023-02-29T00:00:00Z": day out of range"#);
        check("2024-01-01T00:00:00Zx", r#"parsing time "2024-01-01T00:00:00Zx": extra text: "x""#);
    }

    #[test]
    fn times_are_printed_as_go_prints_them() {
        let check = |nanos: u64, expect: &str| assert_eq!(format_time(nanos), expect);
        check(0, "1970-01-01 00:00:00 +0000 UTC");
        check(1_795_365_915_000_673_115, "2026-11-22 16:45:15.000673115 +0000 UTC");
        check(1_709_251_199_500_000_000, "2024-02-29 23:59:59.5 +0000 UTC");
    }
}
