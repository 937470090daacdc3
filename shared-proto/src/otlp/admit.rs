//! What a receiver does with a request: validate, count, leave out what cannot be kept, repair texts.
//!
//! Knows: the rules of `docs/wire.md`, "What becomes of a request". Must not know: who sent it, where it goes.
//! Start at [`admit`]: one pass over the bytes (`survey`) decides; only a request with something to leave out or to
//! repair is written anew (`rewrite`, reasons in `verdict`).

mod rewrite;
mod survey;
mod verdict;

use bytes::Bytes;

use super::schema::request;
use super::wire::Reader;
use super::{Malformed, Signal};
use rewrite::Rewrite;
use survey::Survey;

pub(super) use verdict::{Named, heavy_owners, heavy_span};

/// What a request may contain; over a limit a span is rejected by its ids, the rest of its request is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How deep messages may nest below the request; deeper is malformed.
    ///
    /// 100 by default, as prost and protobuf C++ have it, so that whatever is admitted can be decoded by either.
    pub depth_max: usize,
    /// Encoded size of one attribute (key and value) of a span, event, link, scope or resource of a trace.
    ///
    /// 524,288 by default, half a log record: an attribute below it leaves room for the rest of its span.
    pub attribute_bytes_max: usize,
    /// Attributes of one span, event, link, scope or resource of a trace; 4,096 by default (SDKs stop at 128).
    pub attributes_max: usize,
    /// A resource and a scope of a trace together; 524,288 by default, half a log record.
    pub owner_bytes_max: usize,
    /// A span with its resource and scope; 1,048,576 by default, a log record.
    pub span_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth_max: 100,
            attribute_bytes_max: 512 << 10,
            attributes_max: 4096,
            owner_bytes_max: 512 << 10,
            span_bytes_max: 1 << 20,
        }
    }
}

/// The items of a request that were not taken: partial success. Its text is the `error_message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// How many.
    pub items: u64,
    /// The first of them and why.
    pub first: String,
}

impl Rejected {
    /// Both together: of the two first culprits `earlier`'s is kept.
    #[must_use]
    pub fn join(earlier: Option<Rejected>, later: Option<Rejected>) -> Option<Rejected> {
        match (earlier, later) {
            (Some(a), Some(b)) => Some(Rejected { items: a.items + b.items, first: a.first }),
            (a, b) => a.or(b),
        }
    }
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.first)?;
        match self.items.saturating_sub(1) {
            0 => Ok(()),
            1 => f.write_str("; 1 more span was rejected"),
            more => write!(f, "; {more} more spans were rejected"),
        }
    }
}

/// A request that is fit to be passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The request; the very bytes handed in unless something was rejected or repaired.
    pub bytes: Bytes,
    /// Spans, data points or log records in `bytes`.
    pub items: u64,
    /// What was left out.
    pub rejected: Option<Rejected>,
    /// Texts that were not UTF-8 and now hold U+FFFD.
    pub repaired_texts: u64,
}

/// Validates a request and makes it fit to be passed on: see `docs/wire.md`, "What becomes of a request".
///
/// A request in order comes back as the same bytes, and nothing is allocated for it.
///
/// # Errors
/// [`Malformed`] when the structure is broken, an id has a wrong length, or messages nest too deeply.
pub fn admit(signal: Signal, bytes: Bytes, limits: &Limits) -> Result<Admitted, Malformed> {
    let survey = Survey::of(signal, &bytes, limits)?;
    if survey.is_clean() {
        return Ok(Admitted { bytes, items: survey.items, rejected: None, repaired_texts: 0 });
    }
    let mut rewrite = Rewrite::new(limits);
    let written = rewrite.request(signal, &bytes).map_err(|error| error.of(signal))?;
    let items = count(signal, &written)?;
    let rejected = rewrite.first.map(|first| Rejected { items: rewrite.rejected, first });
    Ok(Admitted { bytes: written.into(), items, rejected, repaired_texts: rewrite.repaired_texts })
}

/// Counts spans, data points or log records, looking no further into them.
///
/// # Errors
/// [`Malformed`] when the structure down to the items is broken; the items themselves are not looked into.
pub fn count(signal: Signal, bytes: &[u8]) -> Result<u64, Malformed> {
    survey::count(request(signal), Reader::new(bytes)).map_err(|error| error.of(signal))
}

/// One request out of several of the same signal: their bytes in a row.
///
/// A single part is handed back without a copy.
#[must_use]
pub fn merge(parts: &[Bytes]) -> Bytes {
    match parts {
        [] => Bytes::new(),
        [one] => one.clone(),
        many => many.concat().into(),
    }
}
