//! Writes the parts of an indexed request.

use std::ops::Range;

use super::index::{Index, Owner, Span};
use super::{Part, Split};
use crate::otlp::admit::{Named, heavy_owners, heavy_span};
use crate::otlp::wire::{Reader, put_tag, put_varint, varint_len};
use crate::otlp::{Malformed, Rejected};

pub(super) struct Writer<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    record_bytes_max: usize,
    parts: Vec<Part>,
    rejected: Option<Rejected>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(bytes: &'a [u8], index: &'a Index, record_bytes_max: usize) -> Writer<'a> {
        Writer { bytes, index, record_bytes_max, parts: Vec::new(), rejected: None }
    }

    pub(super) fn split(mut self) -> Result<Split, Malformed> {
        for place in &self.index.nameless {
            let named = self.named(place.clone())?;
            self.reject(format!("{named}: {}", named.bad_id().unwrap_or("its ids are bad")));
        }
        let (order, ends) = self.by_partition();
        let mut start = 0;
        for end in ends {
            self.partition(order.get(start..end).unwrap_or_default())?;
            start = end;
        }
        Ok(Split { parts: self.parts, rejected: self.rejected })
    }

    /// Positions of spans in the order of partitions, a partition's in the order of the request; and where each
    /// partition ends.
    fn by_partition(&self) -> (Vec<&'a Span>, Vec<usize>) {
        let mut next = 0;
        let mut places: Vec<usize> = Vec::with_capacity(self.index.counts.len());
        for count in &self.index.counts {
            places.push(next);
            next += count;
        }
        let Some(any) = self.index.spans.first() else { return (vec![], vec![]) };
        let mut order = vec![any; self.index.spans.len()];
        for span in &self.index.spans {
            let Some(place) = usize::try_from(span.partition).ok().and_then(|at| places.get_mut(at)) else {
                continue;
            };
            if let Some(slot) = order.get_mut(*place) {
                *slot = span;
            }
            *place += 1;
        }
        (order, places)
    }

    /// One partition's spans as one or more parts.
    fn partition(&mut self, spans: &[&'a Span]) -> Result<(), Malformed> {
        let mut plan = Plan::new(self.index);
        for &span in spans {
            if plan.owners_len(span) > self.record_bytes_max / 2 {
                self.reject_owners(span)?;
                continue;
            }
            if plan.total_with(span) > self.record_bytes_max {
                let total = Plan::new(self.index).total_with(span);
                if total > self.record_bytes_max {
                    self.reject_large(span, total)?;
                    continue;
                }
                let full = std::mem::replace(&mut plan, Plan::new(self.index));
                self.part(full);
            }
            plan.add(span);
        }
        if !plan.spans.is_empty() {
            self.part(plan);
        }
        Ok(())
    }

    fn part(&mut self, plan: Plan<'a>) {
        let Some(partition) = plan.spans.first().map(|span| span.partition) else { return };
        let spans = plan.spans.len() as u64;
        let payload = plan.write(self.bytes).into();
        self.parts.push(Part { partition, payload, spans });
    }

    fn reject_large(&mut self, span: &Span, total: usize) -> Result<(), Malformed> {
        let named = self.named(span.start..span.start + span.len)?;
        self.reject(format!("{named}: {}", heavy_span(total, self.record_bytes_max)));
        Ok(())
    }

    /// What is repeated in every record must leave room for spans, or a small request could become a huge log.
    fn reject_owners(&mut self, span: &Span) -> Result<(), Malformed> {
        let named = self.named(span.start..span.start + span.len)?;
        let bytes = Plan::new(self.index).owners_len(span);
        self.reject(format!("{named}: {}", heavy_owners(bytes, self.record_bytes_max / 2)));
        Ok(())
    }

    fn named(&self, field: Range<usize>) -> Result<Named<'a>, Malformed> {
        let mut field = Reader::new(self.bytes.get(field).unwrap_or_default());
        field.tag()?;
        Named::read(field.body()?)
    }

    fn reject(&mut self, first: String) {
        self.rejected = Rejected::join(self.rejected.take(), Some(Rejected { items: 1, first }));
    }
}

/// A part in the making: which spans, and how long everything around them gets.
struct Plan<'a> {
    index: &'a Index,
    spans: Vec<&'a Span>,
    /// Bodies of closed scopes and resources, in order.
    scope_lens: Vec<usize>,
    resource_lens: Vec<usize>,
    /// Fields of closed resources.
    closed: usize,
    /// Body of the open resource without its open scope.
    resource: usize,
    /// Body of the open scope.
    scope: usize,
}

impl<'a> Plan<'a> {
    fn new(index: &'a Index) -> Plan<'a> {
        let (scope_lens, resource_lens) = (Vec::new(), Vec::new());
        Plan { index, spans: Vec::new(), scope_lens, resource_lens, closed: 0, resource: 0, scope: 0 }
    }

    /// Length of what owns the span, without wrapping.
    fn owners_len(&self, span: &Span) -> usize {
        self.scope_bytes(span) + self.resource_bytes(span)
    }

    /// Length of the part if `span` were its last.
    fn total_with(&self, span: &Span) -> usize {
        let open = self.spans.last();
        if open.is_some_and(|last| last.scope == span.scope) {
            return self.closed + field_len(self.resource + field_len(self.scope + span.len));
        }
        let scope = field_len(self.scope_bytes(span) + span.len);
        if open.is_some_and(|last| self.parent(last) == self.parent(span)) {
            return self.closed + field_len(self.resource + field_len(self.scope) + scope);
        }
        let closed = if open.is_some() { field_len(self.resource + field_len(self.scope)) } else { 0 };
        self.closed + closed + field_len(self.resource_bytes(span) + scope)
    }

    fn add(&mut self, span: &'a Span) {
        let last = self.spans.last().copied();
        if last.is_none_or(|last| last.scope != span.scope) {
            self.close_scope();
            if last.is_none_or(|last| self.parent(last) != self.parent(span)) {
                self.close_resource();
                self.resource = self.resource_bytes(span);
            }
            self.scope = self.scope_bytes(span);
        }
        self.scope += span.len;
        self.spans.push(span);
    }

    fn close_scope(&mut self) {
        if !self.spans.is_empty() {
            self.scope_lens.push(self.scope);
            self.resource += field_len(self.scope);
        }
    }

    fn close_resource(&mut self) {
        if !self.spans.is_empty() {
            self.resource_lens.push(self.resource);
            self.closed += field_len(self.resource);
        }
    }

    fn write(mut self, bytes: &[u8]) -> Vec<u8> {
        self.close_scope();
        self.close_resource();
        let mut out = Vec::with_capacity(self.closed);
        let mut scope_lens = self.scope_lens.iter();
        let mut resource_lens = self.resource_lens.iter();
        let mut last: Option<&Span> = None;
        for span in &self.spans {
            if last.is_none_or(|last| last.scope != span.scope) {
                if last.is_none_or(|last| self.parent(last) != self.parent(span)) {
                    put_head(&mut out, 1, resource_lens.next());
                    self.put_owner(&mut out, bytes, self.index.resources.get(self.parent(span)));
                }
                put_head(&mut out, 2, scope_lens.next());
                self.put_owner(&mut out, bytes, self.index.scopes.get(span.scope));
            }
            out.extend_from_slice(bytes.get(span.start..span.start + span.len).unwrap_or_default());
            last = Some(span);
        }
        out
    }

    fn put_owner(&self, out: &mut Vec<u8>, bytes: &[u8], owner: Option<&Owner>) {
        let pieces = owner.and_then(|owner| self.index.pieces.get(owner.pieces.clone()));
        for piece in pieces.unwrap_or_default() {
            out.extend_from_slice(bytes.get(piece.clone()).unwrap_or_default());
        }
    }

    fn parent(&self, span: &Span) -> usize {
        self.index.scopes.get(span.scope).map_or(0, |scope| scope.parent)
    }

    fn scope_bytes(&self, span: &Span) -> usize {
        self.index.scopes.get(span.scope).map_or(0, |scope| scope.bytes)
    }

    fn resource_bytes(&self, span: &Span) -> usize {
        self.index.resources.get(self.parent(span)).map_or(0, |resource| resource.bytes)
    }
}

/// Length of a field whose body has `len` bytes; its tag takes one.
fn field_len(len: usize) -> usize {
    1 + varint_len(len) + len
}

fn put_head(out: &mut Vec<u8>, number: u32, len: Option<&usize>) {
    put_tag(out, number, 2);
    put_varint(out, len.map_or(0, |len| *len as u64));
}
