//! Why a span is not taken, and how its rejection reads.
//!
//! Start at [`over`] (limits) and [`bad_id`]; the texts are those of `docs/wire.md`, "Texts".

use std::fmt;

use super::Limits;
use crate::otlp::Malformed;
use crate::otlp::wire::Reader;

/// Names and keys are cut after so many characters.
const SHOWN_CHARS: usize = 64;

/// Tags and lengths of a span, its scope and its resource take no more than this.
pub(super) const WRAPPING_BYTES: usize = 18;

/// What a `ResourceSpans` or `ScopeSpans` weighs without what is in field 2.
pub(super) fn owner_bytes(mut body: Reader<'_>) -> Result<usize, Malformed> {
    let mut bytes = 0;
    loop {
        let start = body.at();
        let Some((number, wire)) = body.tag()? else { return Ok(bytes) };
        body.skip(number, wire)?;
        if number != 2 {
            bytes += body.at() - start;
        }
    }
}

/// What is wrong with a span too large for a log record.
pub(in crate::otlp) fn heavy_span(bytes: usize, limit: usize) -> String {
    format!("{bytes} bytes with its resource and scope, a log record holds {limit}")
}

/// What is wrong with a resource and a scope too large to be repeated in records.
pub(in crate::otlp) fn heavy_owners(bytes: usize, limit: usize) -> String {
    format!("its resource and scope are {bytes} bytes long, the limit is {limit}")
}

/// What has attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Span,
    Event,
    Link,
    Resource,
    Scope,
}

impl Place {
    /// The number of its field `attributes`.
    fn attributes(self) -> u32 {
        match self {
            Place::Span => 9,
            Place::Event | Place::Scope => 3,
            Place::Link => 4,
            Place::Resource => 1,
        }
    }

    /// What lies in its field `number` and has attributes of its own.
    fn below(self, number: u32) -> Option<Place> {
        match (self, number) {
            (Place::Span, 11) => Some(Place::Event),
            (Place::Span, 13) => Some(Place::Link),
            _ => None,
        }
    }
}

/// A broken limit. As text it is what follows the colon of a rejection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over<'a> {
    place: Place,
    breach: Breach<'a>,
    limit: usize,
}

#[derive(Debug, Clone, Copy)]
enum Breach<'a> {
    /// One attribute of so many bytes.
    Large { key: &'a [u8], bytes: usize },
    /// So many attributes.
    Many(usize),
}

/// The first breach of an attribute limit in the message at `place`; for a span also in its events and links.
pub(super) fn over<'a>(
    place: Place,
    mut body: Reader<'a>,
    limits: &Limits,
) -> Result<Option<Over<'a>>, Malformed> {
    let mut count = 0;
    while let Some((number, wire)) = body.tag()? {
        if wire != 2 {
            body.skip(number, wire)?;
            continue;
        }
        let inner = body.body()?;
        if number == place.attributes() {
            count += 1;
            let bytes = inner.rest().len();
            if bytes > limits.attribute_bytes_max {
                let breach = Breach::Large { key: key_of(inner)?, bytes };
                return Ok(Some(Over { place, breach, limit: limits.attribute_bytes_max }));
            }
        } else if let Some(below) = place.below(number)
            && let Some(found) = over(below, inner, limits)?
        {
            return Ok(Some(found));
        }
    }
    let many = Over { place, breach: Breach::Many(count), limit: limits.attributes_max };
    Ok((count > limits.attributes_max).then_some(many))
}

/// The key of an attribute, as it came.
fn key_of(mut attribute: Reader<'_>) -> Result<&[u8], Malformed> {
    let mut key: &[u8] = &[];
    while let Some((number, wire)) = attribute.tag()? {
        match (number, wire) {
            (1, 2) => key = attribute.body()?.rest(),
            _ => attribute.skip(number, wire)?,
        }
    }
    Ok(key)
}

impl fmt::Display for Over<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.breach {
            Breach::Large { key, bytes } => {
                let of = match self.place {
                    Place::Span => "",
                    Place::Event => " of an event",
                    Place::Link => " of a link",
                    Place::Resource => " of its resource",
                    Place::Scope => " of its scope",
                };
                write!(f, "attribute {}{of} is {bytes} bytes long, the limit is {}", Shown(key), self.limit)
            }
            Breach::Many(count) => {
                let whose = match self.place {
                    Place::Span => "it has",
                    Place::Event => "an event has",
                    Place::Link => "a link has",
                    Place::Resource => "its resource has",
                    Place::Scope => "its scope has",
                };
                write!(f, "{whose} {count} attributes, the limit is {}", self.limit)
            }
        }
    }
}

/// What names a span, as it came.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::otlp) struct Named<'a> {
    pub(in crate::otlp) trace_id: &'a [u8],
    span_id: &'a [u8],
    name: &'a [u8],
}

impl<'a> Named<'a> {
    pub(in crate::otlp) fn read(mut span: Reader<'a>) -> Result<Named<'a>, Malformed> {
        let mut named = Named::default();
        while let Some((number, wire)) = span.tag()? {
            match (number, wire) {
                (1, 2) => named.trace_id = span.body()?.rest(),
                (2, 2) => named.span_id = span.body()?.rest(),
                (5, 2) => named.name = span.body()?.rest(),
                _ => span.skip(number, wire)?,
            }
        }
        Ok(named)
    }

    /// The ids alone, no further than they reach: for spans that were admitted and so have each once.
    #[inline]
    pub(in crate::otlp) fn read_ids(mut span: Reader<'a>) -> Result<Named<'a>, Malformed> {
        let mut named = Named::default();
        while named.trace_id.is_empty() || named.span_id.is_empty() {
            let Some((number, wire)) = span.tag()? else { break };
            match (number, wire) {
                (1, 2) => named.trace_id = span.body()?.rest(),
                (2, 2) => named.span_id = span.body()?.rest(),
                _ => span.skip(number, wire)?,
            }
        }
        Ok(named)
    }

    /// Why no span can be kept under these ids, if so.
    #[inline]
    pub(in crate::otlp) fn bad_id(&self) -> Option<&'static str> {
        let zero = |id: &[u8]| id.iter().all(|byte| *byte == 0);
        match (self.trace_id, self.span_id) {
            ([], _) => Some("trace_id is missing"),
            (id, _) if zero(id) => Some("trace_id is all zero"),
            (_, []) => Some("span_id is missing"),
            (_, id) if zero(id) => Some("span_id is all zero"),
            _ => None,
        }
    }
}

/// `span 00f067aa0ba902b7 of trace 4bf92f3577b34da6a3ce929d0e0e4736 "GET /cart"`.
impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "span {} of trace {} {}", Hex(self.span_id), Hex(self.trace_id), Shown(self.name))
    }
}

/// An id for people.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("(none)");
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text for people: quoted, escaped, cut.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // four bytes a character at most, so that a huge text is not decoded whole
        let head = self.0.get(..4 * SHOWN_CHARS + 4).unwrap_or(self.0);
        let text = String::from_utf8_lossy(head);
        let mut rest = text.chars();
        f.write_str("\"")?;
        for shown in rest.by_ref().take(SHOWN_CHARS) {
            write!(f, "{}", shown.escape_debug())?;
        }
        f.write_str(if rest.next().is_some() { "…\"" } else { "\"" })
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, Shown};

    #[test]
    fn a_text_for_people_is_quoted_and_cut() {
        let long = "é".repeat(70);
        let rows: [(&[u8], String); 4] = [
            (b"GET /", "\"GET /\"".into()),
            (b"", "\"\"".into()),
            (b"a\"\n\xff", "\"a\\\"\\n\u{fffd}\"".into()),
            (long.as_bytes(), format!("\"{}…\"", "é".repeat(64))),
        ];
        for (bytes, expect) in rows {
            assert_eq!(Shown(bytes).to_string(), expect);
        }
    }

    #[test]
    fn a_span_without_ids_is_still_named() {
        assert_eq!(Named::default().to_string(), "span (none) of trace (none) \"\"");
    }
}
