//! Where each span of a request lies, what owns it and where it goes.

use std::ops::Range;

use super::super::admit::Named;
use super::super::wire::Reader;
use crate::hash::partition_of;
use crate::otlp::Malformed;

/// A request at a glance.
pub(super) struct Index {
    /// In the order of the request.
    pub(super) spans: Vec<Span>,
    pub(super) scopes: Vec<Owner>,
    pub(super) resources: Vec<Owner>,
    /// Where the fields of owners lie, other than what they own: each with its tag and length.
    pub(super) pieces: Vec<Range<usize>>,
    /// Spans per partition.
    pub(super) counts: Vec<usize>,
    /// Spans that cannot be kept, as places of their bytes.
    pub(super) nameless: Vec<Range<usize>>,
}

/// A span: its field with tag and length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) partition: u32,
    /// Position in [`Index::scopes`].
    pub(super) scope: usize,
}

/// A `ResourceSpans` or `ScopeSpans` without what it owns.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    /// Of a scope: position in [`Index::resources`].
    pub(super) parent: usize,
    /// Positions in [`Index::pieces`].
    pub(super) pieces: Range<usize>,
    /// Their length together.
    pub(super) bytes: usize,
}

impl Index {
    pub(super) fn of(bytes: &[u8], partitions: u32) -> Result<Index, Malformed> {
        let counts = vec![0; usize::try_from(partitions.max(1)).unwrap_or(1)];
        // most spans are larger than this; a request of smaller ones makes the list grow
        let spans = Vec::with_capacity(bytes.len() / 256 + 8);
        let mut index =
            Index { spans, scopes: vec![], resources: vec![], pieces: vec![], counts, nameless: vec![] };
        let mut fields = Reader::new(bytes);
        while let Some((number, wire)) = fields.tag()? {
            match (number, wire) {
                (1, 2) => index.resource(fields.body()?, partitions)?,
                (1, _) => return Err(wrong_wire(&fields, "TracesData.resource_spans", wire)),
                _ => fields.skip(number, wire)?,
            }
        }
        Ok(index)
    }

    /// The partition of all spans, if they share one and every span can be kept.
    pub(super) fn only_partition(&self) -> Option<u32> {
        let first = self.spans.first()?.partition;
        let all = self.counts.get(usize::try_from(first).ok()?) == Some(&self.spans.len());
        (all && self.nameless.is_empty()).then_some(first)
    }

    fn resource(&mut self, body: Reader<'_>, partitions: u32) -> Result<(), Malformed> {
        let owner = self.owner(0, body, "ResourceSpans.scope_spans")?;
        let parent = self.resources.len();
        self.resources.push(owner);
        let mut fields = body;
        while let Some((number, wire)) = fields.tag()? {
            if number == 2 {
                let body = fields.body()?;
                let owner = self.owner(parent, body, "ScopeSpans.spans")?;
                self.scopes.push(owner);
                self.scope(body, partitions)?;
            } else {
                fields.skip(number, wire)?;
            }
        }
        Ok(())
    }

    fn scope(&mut self, mut fields: Reader<'_>, partitions: u32) -> Result<(), Malformed> {
        let scope = self.scopes.len().saturating_sub(1);
        loop {
            let start = fields.at();
            let Some((number, wire)) = fields.tag()? else { return Ok(()) };
            if number != 2 {
                fields.skip(number, wire)?;
                continue;
            }
            let named = Named::read_ids(fields.body()?)?;
            if named.bad_id().is_some() {
                self.nameless.push(start..fields.at());
                continue;
            }
            let partition = partition_of(named.trace_id, partitions);
            self.spans.push(Span { start, len: fields.at() - start, partition, scope });
            if let Some(count) = usize::try_from(partition).ok().and_then(|at| self.counts.get_mut(at)) {
                *count += 1;
            }
        }
    }

    /// Notes the fields of an owner; neighbours are one piece.
    fn owner(
        &mut self,
        parent: usize,
        mut fields: Reader<'_>,
        owned: &'static str,
    ) -> Result<Owner, Malformed> {
        let first = self.pieces.len();
        let mut bytes = 0;
        loop {
            let start = fields.at();
            let Some((number, wire)) = fields.tag()? else { break };
            if number == 2 && wire != 2 {
                return Err(wrong_wire(&fields, owned, wire));
            }
            fields.skip(number, wire)?;
            if number == 2 {
                continue;
            }
            bytes += fields.at() - start;
            match self.pieces.get_mut(first..).and_then(<[_]>::last_mut) {
                Some(piece) if piece.end == start => piece.end = fields.at(),
                _ => self.pieces.push(start..fields.at()),
            }
        }
        Ok(Owner { parent, pieces: first..self.pieces.len(), bytes })
    }
}

#[cold]
fn wrong_wire(at: &Reader<'_>, path: &'static str, wire: u8) -> Malformed {
    Malformed::with(at.at(), "the wire type is not that of the field", wire.into()).in_field(path)
}
