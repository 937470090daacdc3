//! Writes a surveyed request anew: without the spans that cannot be taken, with texts repaired, with what occurs
//! once merged.
//!
//! Runs only on requests that the survey has found sound, so nesting is bounded. Start at [`Rewrite::request`].

use super::Limits;
use super::verdict::{Named, Place, WRAPPING_BYTES, heavy_owners, heavy_span, over, owner_bytes};
use crate::otlp::schema::{
    ANY_VALUE, FieldSpec, Kind, Label, Message, RESOURCE_SPANS, SCOPE_SPANS, SPAN, request,
};
use crate::otlp::wire::{Reader, begin, end, put_bytes, put_tag};
use crate::otlp::{Malformed, Signal};

/// The work and what it left out.
pub(super) struct Rewrite<'l> {
    limits: &'l Limits,
    out: Vec<u8>,
    /// What the resource and the scope at hand weigh.
    resource_bytes: usize,
    scope_bytes: usize,
    pub(super) rejected: u64,
    pub(super) first: Option<String>,
    pub(super) repaired_texts: u64,
}

impl<'l> Rewrite<'l> {
    pub(super) fn new(limits: &'l Limits) -> Rewrite<'l> {
        let (resource_bytes, scope_bytes) = (0, 0);
        let out = Vec::new();
        Rewrite { limits, out, resource_bytes, scope_bytes, rejected: 0, first: None, repaired_texts: 0 }
    }

    /// The request as it is to be passed on.
    pub(super) fn request(&mut self, signal: Signal, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        self.out.reserve(bytes.len());
        self.message(request(signal), bytes, None)?;
        Ok(std::mem::take(&mut self.out))
    }

    /// Appends a message's fields. `doomed` says why no span below may be taken.
    fn message(
        &mut self,
        message: &'static Message,
        bytes: &[u8],
        doomed: Option<&str>,
    ) -> Result<(), Malformed> {
        let merged = merged(message, bytes)?;
        let bytes = merged.as_deref().unwrap_or(bytes);
        let mut fields = Reader::new(bytes);
        loop {
            let raw = fields.rest();
            let Some((number, wire)) = fields.tag()? else { return Ok(()) };
            let known = message.field(number).filter(|_| wire == 2);
            match known.map(|field| &field.kind) {
                Some(Kind::Text) => {
                    let text = fields.body()?.rest();
                    self.text(number, text);
                }
                Some(Kind::Message(inner)) => {
                    let body = fields.body()?.rest();
                    self.inner(number, inner, body, doomed)?;
                }
                _ => {
                    fields.skip(number, wire)?;
                    let len = raw.len() - fields.rest().len();
                    self.out.extend_from_slice(raw.get(..len).unwrap_or_default());
                }
            }
        }
    }

    fn text(&mut self, number: u32, text: &[u8]) {
        let repaired = String::from_utf8_lossy(text);
        self.repaired_texts += u64::from(matches!(repaired, std::borrow::Cow::Owned(_)));
        put_bytes(&mut self.out, number, repaired.as_bytes());
    }

    fn inner(
        &mut self,
        number: u32,
        message: &'static Message,
        body: &[u8],
        doomed: Option<&str>,
    ) -> Result<(), Malformed> {
        let verdict = if std::ptr::eq(message, &SPAN) {
            let Some(reason) = self.verdict(body, doomed)? else {
                return self.append(number, message, body, None);
            };
            let named = Named::read(Reader::new(body))?;
            self.rejected += 1;
            self.first.get_or_insert_with(|| format!("{named}: {reason}"));
            return Ok(());
        } else if doomed.is_none() && std::ptr::eq(message, &RESOURCE_SPANS) {
            (self.resource_bytes, self.scope_bytes) = (owner_bytes(Reader::new(body))?, 0);
            self.owner_over(Place::Resource, body)?
        } else if doomed.is_none() && std::ptr::eq(message, &SCOPE_SPANS) {
            self.scope_bytes = owner_bytes(Reader::new(body))?;
            self.owner_over(Place::Scope, body)?
        } else {
            None
        };
        let (start, rejected) = (self.out.len(), self.rejected);
        self.append(number, message, body, verdict.as_deref().or(doomed))?;
        // what owned only rejected spans goes with them
        let owns = std::ptr::eq(message, &RESOURCE_SPANS) || std::ptr::eq(message, &SCOPE_SPANS);
        if owns && self.rejected > rejected && !has_spans(self.out.get(start..).unwrap_or_default())? {
            self.out.truncate(start);
        }
        Ok(())
    }

    fn append(
        &mut self,
        number: u32,
        message: &'static Message,
        body: &[u8],
        doomed: Option<&str>,
    ) -> Result<(), Malformed> {
        put_tag(&mut self.out, number, 2);
        let start = begin(&mut self.out);
        self.message(message, body, doomed)?;
        end(&mut self.out, start);
        Ok(())
    }

    /// Why a span is not taken, if so: its ids, its own limits, then its owners'.
    fn verdict(&self, span: &[u8], doomed: Option<&str>) -> Result<Option<String>, Malformed> {
        if let Some(reason) = Named::read(Reader::new(span))?.bad_id() {
            return Ok(Some(reason.to_owned()));
        }
        if let Some(over) = over(Place::Span, Reader::new(span), self.limits)? {
            return Ok(Some(over.to_string()));
        }
        if let Some(reason) = doomed {
            return Ok(Some(reason.to_owned()));
        }
        let bytes = span.len() + self.owners() + WRAPPING_BYTES;
        let max = self.limits.span_bytes_max;
        Ok((bytes > max).then(|| heavy_span(bytes, max)))
    }

    fn owners(&self) -> usize {
        self.resource_bytes + self.scope_bytes
    }

    /// The breach of the resource or scope in field 1 of `owner`, or of both together.
    fn owner_over(&self, place: Place, owner: &[u8]) -> Result<Option<String>, Malformed> {
        let mut fields = Reader::new(owner);
        let mut found = None;
        while let Some((number, wire)) = fields.tag()? {
            match (number, wire) {
                (1, 2) if found.is_none() => {
                    found = over(place, fields.body()?, self.limits)?.map(|over| over.to_string());
                }
                _ => fields.skip(number, wire)?,
            }
        }
        let (bytes, max) = (self.owners(), self.limits.owner_bytes_max);
        Ok(found.or_else(|| (bytes > max).then(|| heavy_owners(bytes, max))))
    }
}

/// Whether a field holding a `ResourceSpans` or `ScopeSpans` has anything in field 2.
fn has_spans(field: &[u8]) -> Result<bool, Malformed> {
    let mut outer = Reader::new(field);
    outer.tag()?;
    let mut fields = outer.body()?;
    while let Some((number, wire)) = fields.tag()? {
        if number == 2 {
            return Ok(true);
        }
        fields.skip(number, wire)?;
    }
    Ok(false)
}

/// A message's fields with every second occurrence of what occurs once merged into the last, as protobuf reads
/// it; `None` when nothing occurs twice. Of ids, and of values inside values, the last one counts.
fn merged(message: &'static Message, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let Some(last) = Last::of(message, bytes)? else { return Ok(None) };
    let mut out = Vec::with_capacity(bytes.len());
    let mut gathered: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut fields = Reader::new(bytes);
    for at in 0.. {
        let raw = fields.rest();
        let Some((number, wire)) = fields.tag()? else { break };
        let value = fields;
        fields.skip(number, wire)?;
        let raw = raw.get(..raw.len() - fields.rest().len()).unwrap_or_default();
        let Some((field, kept)) = message.field(number).and_then(|field| Some((field, last.kept(field)?)))
        else {
            out.extend_from_slice(raw);
            continue;
        };
        if at < kept.from || wire != field.kind.wire() {
            continue;
        }
        if !is_merged(field) {
            if at == kept.to {
                out.extend_from_slice(raw);
            }
            continue;
        }
        let mut value = value;
        let body = value.body()?.rest();
        match gathered.iter_mut().find(|(of, _)| *of == number) {
            Some((_, bytes)) => bytes.extend_from_slice(body),
            None => gathered.push((number, body.to_vec())),
        }
        if at == kept.to
            && let Some((_, bytes)) = gathered.iter().find(|(of, _)| *of == number)
        {
            put_bytes(&mut out, number, bytes);
        }
    }
    Ok(Some(out))
}

/// Whether occurrences of the field are put together; else the last one counts.
fn is_merged(field: &FieldSpec) -> bool {
    matches!(field.kind, Kind::Message(inner) if !std::ptr::eq(inner, &ANY_VALUE))
        && !field.path.starts_with("AnyValue.")
}

/// Which occurrences of the fields that occur once count.
struct Last {
    /// Number, first and last counting occurrence (as positions among the message's fields).
    fields: Vec<(u32, Kept)>,
    oneof: Option<(u32, Kept)>,
}

#[derive(Clone, Copy)]
struct Kept {
    from: usize,
    to: usize,
}

impl Last {
    /// `None` when no field that occurs once occurs twice.
    fn of(message: &Message, bytes: &[u8]) -> Result<Option<Last>, Malformed> {
        let mut last = Last { fields: Vec::new(), oneof: None };
        let mut twice = false;
        let mut fields = Reader::new(bytes);
        for at in 0.. {
            let Some((number, wire)) = fields.tag()? else { break };
            fields.skip(number, wire)?;
            let Some(field) = message.field(number) else { continue };
            match field.label {
                Label::OneOf => {
                    twice |= last.oneof.is_some();
                    let from = last.oneof.filter(|(of, _)| *of == number).map_or(at, |(_, kept)| kept.from);
                    last.oneof = Some((number, Kept { from, to: at }));
                }
                Label::One if matches!(field.kind, Kind::Message(_) | Kind::TraceId | Kind::SpanId) => {
                    match last.fields.iter_mut().find(|(of, _)| *of == number) {
                        Some((_, kept)) => (kept.to, twice) = (at, true),
                        None => last.fields.push((number, Kept { from: at, to: at })),
                    }
                }
                _ => {}
            }
        }
        Ok(twice.then_some(last))
    }

    /// The occurrences that count; none when the field may occur any number of times.
    fn kept(&self, field: &FieldSpec) -> Option<Kept> {
        match field.label {
            Label::OneOf => {
                let gone = Kept { from: usize::MAX, to: usize::MAX };
                Some(self.oneof.filter(|(of, _)| *of == field.number).map_or(gone, |(_, kept)| kept))
            }
            Label::One => self.fields.iter().find(|(of, _)| *of == field.number).map(|(_, kept)| *kept),
            Label::Optional | Label::Many => None,
        }
    }
}
