//! Wall-clock instants as text, in UTC.
//!
//! Knows: the proleptic Gregorian calendar. Must not know: time zones. Start at [`rfc3339`].

use std::time::{SystemTime, UNIX_EPOCH};

struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millis: u32,
}

/// Civil date of a count of days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn parts(at: SystemTime) -> Parts {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    Parts {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        millis: since.subsec_millis(),
    }
}

/// `2026-11-22T19:05:00.123Z`
pub(crate) fn rfc3339(at: SystemTime) -> String {
    let Parts { year, month, day, hour, minute, second, millis } = parts(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// `2026-11-22T19-05-00.123`, which every file system takes and which sorts by time.
pub(crate) fn file_stamp(at: SystemTime) -> String {
    let Parts { year, month, day, hour, minute, second, millis } = parts(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{millis:03}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn instants_are_written_in_utc() {
        let check = |seconds: u64, expect: &str| {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), expect);
        };
        check(0, "1970-01-01T00:00:00.000Z");
        check(951_782_399, "2000-02-28T23:59:59.000Z");
        check(951_782_400, "2000-02-29T00:00:00.000Z");
        check(1_795_374_300, "2026-11-22T19:05:00.000Z");
        check(4_107_542_400, "2100-03-01T00:00:00.000Z");
    }
}
