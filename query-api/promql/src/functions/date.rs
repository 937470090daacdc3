//! Parts of a date in UTC, from seconds since the epoch. The calendar is the proleptic Gregorian one, computed from days
//! (Hinnant, "chrono-compatible low-level date algorithms").

/// A part of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named as in the language")]
pub enum Part {
    DaysInMonth,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Month,
    Year,
}

const DAY: i64 = 86_400;

impl Part {
    /// The function of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "days_in_month" => Self::DaysInMonth,
            "day_of_month" => Self::DayOfMonth,
            "day_of_week" => Self::DayOfWeek,
            "day_of_year" => Self::DayOfYear,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "month" => Self::Month,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// The part of the date at `seconds` since the epoch; fractions are cut.
    #[must_use]
    pub fn of(self, seconds: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "fractions are cut; what is no time is the epoch's end"
        )]
        let seconds = if seconds.abs() < 9.2e18 { seconds as i64 } else { i64::MIN };
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let part = match self {
            Self::Hour => second / 3600,
            Self::Minute => second / 60 % 60,
            Self::DayOfWeek => (days + 4).rem_euclid(7),
            _ => self.of_day(days),
        };
        part as f64
    }

    fn of_day(self, days: i64) -> i64 {
        let (year, month, day) = civil(days);
        match self {
            Self::Year => year,
            Self::Month => month,
            Self::DayOfMonth => day,
            Self::DayOfYear => days - days_from(year, 1, 1) + 1,
            _ => {
                let next =
                    if month == 12 { days_from(year + 1, 1, 1) } else { days_from(year, month + 1, 1) };
                next - days_from(year, month, 1)
            }
        }
    }
}

/// Year, month and day of a day since the epoch. Eras are 400 years that start on 1 March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The day since the epoch of a date.
fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(seconds: f64) -> [f64; 8] {
        use Part::{DayOfMonth, DayOfWeek, DayOfYear, DaysInMonth, Hour, Minute, Month, Year};
        [Year, Month, DayOfMonth, DayOfWeek, DayOfYear, DaysInMonth, Hour, Minute]
            .map(|part| part.of(seconds))
    }

    #[test]
    fn dates_are_those_of_the_gregorian_calendar_in_utc() {
        assert_eq!(parts(0.0), [1970.0, 1.0, 1.0, 4.0, 1.0, 31.0, 0.0, 0.0]);
        assert_eq!(parts(951_826_199.9), [2000.0, 2.0, 29.0, 2.0, 60.0, 29.0, 12.0, 9.0]);
        assert_eq!(parts(1_230_768_000.0), [2009.0, 1.0, 1.0, 4.0, 1.0, 31.0, 0.0, 0.0]);
    }

    #[test]
    fn dates_before_the_epoch_count_from_their_own_midnight() {
        assert_eq!(parts(-1.0), [1969.0, 12.0, 31.0, 3.0, 365.0, 31.0, 23.0, 59.0]);
    }
}
