//! Bodies, ids and pages of requests.
//!
//! Knows: JSON bodies with their content type and their bound, numbers in paths, Grafana's paging. Must not know: what
//! is asked. Start at [`Payload`].

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Requests of the API are small.
const BODY_BYTES_MAX: usize = 64 << 10;
/// A body that takes longer is a slow-loris.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// Rows of one page, when nothing is said and at most.
const PAGE_DEFAULT: usize = 1000;
const PAGE_MAX: usize = 5000;

/// A JSON body. The content type must say so: no form of another site can send it.
#[derive(Debug)]
pub(crate) struct Payload<T>(pub(crate) T);

/// Whether the content type is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Payload<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            let message = "The content type must be application/json";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let reading = Limited::new(request.into_body(), BODY_BYTES_MAX).collect();
        let slow = |_elapsed| Failure::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time");
        let too_large = |_error| Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
        let body =
            tokio::time::timeout(BODY_TIME_MAX, reading).await.map_err(slow)?.map_err(too_large)?.to_bytes();
        // serde's words may repeat what was sent, and that may be a password
        let told =
            |e: serde_json::Error| format!("Bad request data: line {}, column {}", e.line(), e.column());
        serde_json::from_slice(&body).map(Self).map_err(|e| Failure::invalid(told(e)))
    }
}

/// The number in a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let id = Path::<u64>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_no_number| Failure::invalid("id is invalid"))
    }
}

/// `?query&page&perpage`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Page {
    query: String,
    page: Option<usize>,
    perpage: Option<usize>,
}

impl Page {
    /// What to look for, in lower case.
    pub(crate) fn needle(&self) -> String {
        self.query.to_lowercase()
    }

    /// Number of the page, from 1.
    pub(crate) fn number(&self) -> usize {
        self.page.unwrap_or(1).max(1)
    }

    /// Rows of a page.
    pub(crate) fn size(&self) -> usize {
        self.perpage.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX)
    }

    /// The rows of this page.
    pub(crate) fn cut<T>(&self, rows: Vec<T>) -> Vec<T> {
        let skipped = (self.number() - 1).saturating_mul(self.size());
        rows.into_iter().skip(skipped).take(self.size()).collect()
    }
}

/// Unix seconds as RFC 3339 in UTC; nothing for 0.
pub(crate) fn rfc3339(seconds: u64) -> String {
    // days to date: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days
    let (days, of_day) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_calendars_have_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(rfc3339(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
