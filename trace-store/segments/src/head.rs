//! One generation of the head: the records as they came, and an index over their spans.
//!
//! Knows: what is in memory and what it weighs. Must not know: segments. Append-only: readers hold a [`View`], which is
//! a pointer and three lengths. Start at [`Head::apply`].

mod grow;
mod record;
mod sums;
mod trace_index;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use runtime_engine::{Applied, Error, Offset, Record, Result};
use shared_proto::encoding::OTLP_TRACES;
use shared_proto::otlp::view::{ResourceSpansView, ScopeSpansView};

use crate::tables::{Operation, Resource, Scope, frame_resource, frame_scope, ordinal};
use grow::Grow;
use record::Parsed;
pub(crate) use record::{HeadRecord, SpanRef};
use trace_index::{BLOCK_RECORDS, TraceIndex};

/// What a record weighs beside its payload and its spans.
const RECORD_BYTES: u64 = 160;
/// What a span weighs beside its bytes in the payload: its reference and its entry of the trace index.
const SPAN_BYTES: u64 = (size_of::<SpanRef>() + trace_index::ENTRY_BYTES) as u64;
/// What an entry of a table weighs beside its own bytes, which are held twice (table and its index).
const ENTRY_BYTES: u64 = 128;

#[derive(Debug, Default)]
struct Shared {
    records: Grow<HeadRecord>,
    indexes: Grow<TraceIndex>,
    resources: Grow<Resource>,
    scopes: Grow<Scope>,
    operations: Grow<Operation>,
    /// What the spans add up to, and of how many records.
    sums: sums::Kept,
}

/// One generation of records in memory.
#[derive(Debug)]
pub struct Head {
    shared: Arc<Shared>,
    limit_bytes: u64,
    weight_bytes: u64,
    records: usize,
    spans: usize,
    resources: HashMap<Bytes, u32>,
    scopes: HashMap<Bytes, u32>,
    operations: HashMap<Box<[u8]>, u32>,
    scratch: Vec<u8>,
}

/// A consistent look at a head: what was applied when it was taken.
#[derive(Debug, Clone)]
pub struct View {
    shared: Arc<Shared>,
    records: usize,
    operations: usize,
    spans: usize,
}

impl Head {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self {
            shared: Arc::default(),
            limit_bytes,
            weight_bytes: 0,
            records: 0,
            spans: 0,
            resources: HashMap::new(),
            scopes: HashMap::new(),
            operations: HashMap::new(),
            scratch: Vec::new(),
        }
    }

    pub(crate) fn apply(&mut self, at: Offset, record: Record<'_>) -> Result<Applied> {
        if record.encoding != OTLP_TRACES {
            let detail = format!("encoding {} at offset {at}, expected {OTLP_TRACES}", record.encoding);
            return Err(Error::corrupt("log record", detail));
        }
        let parsed = record::parse(record.payload)?;
        let weight = record.payload.len() as u64 + RECORD_BYTES + parsed.spans.len() as u64 * SPAN_BYTES;
        if self.records > 0 && self.weight_bytes + weight > self.limit_bytes {
            return Ok(Applied::Full);
        }
        let refs = self.refs(record.payload, &parsed)?;
        self.weight_bytes += weight;
        self.spans += refs.len();
        let taken = HeadRecord { payload: record.payload.clone(), spans: refs.into_boxed_slice() };
        if !self.shared.records.set(self.records, taken) {
            return Ok(Applied::Full);
        }
        self.records += 1;
        if self.records.is_multiple_of(BLOCK_RECORDS) {
            let from = self.records - BLOCK_RECORDS;
            let block = (from..self.records).filter_map(|i| self.shared.records.get(i));
            self.shared.indexes.set(from / BLOCK_RECORDS, TraceIndex::new(block));
        }
        Ok(Applied::Taken { head_bytes: self.weight_bytes })
    }

    pub(crate) fn view(&self) -> View {
        View {
            shared: Arc::clone(&self.shared),
            records: self.records,
            operations: self.operations.len(),
            spans: self.spans,
        }
    }

    fn refs(&mut self, payload: &Bytes, parsed: &Parsed<'_>) -> Result<Vec<SpanRef>> {
        let mut groups = Vec::with_capacity(parsed.groups.len());
        for (resource, scope) in &parsed.groups {
            groups.push((self.resource(resource)?, self.scope(scope)?));
        }
        let mut refs = Vec::with_capacity(parsed.spans.len());
        for found in &parsed.spans {
            let Some(&(resource, scope)) = groups.get(found.group) else { continue };
            let span = &found.span;
            let at = span.bytes().as_ptr().addr().saturating_sub(payload.as_ptr().addr());
            refs.push(SpanRef {
                trace_id: span.trace_id.try_into().unwrap_or_default(),
                start: span.start_unix_nano,
                end: span.end_unix_nano,
                at: ordinal(at)?,
                len: ordinal(span.bytes().len())?,
                resource,
                scope,
                operation: self.operation(resource, span.name, span.kind)?,
                status: found.status,
            });
        }
        refs.sort_unstable_by_key(|span| (u128::from_be_bytes(span.trace_id), span.start, span.at));
        Ok(refs)
    }

    fn resource(&mut self, view: &ResourceSpansView<'_>) -> Result<u32> {
        self.scratch.clear();
        frame_resource(view, &mut self.scratch).map_err(|e| Error::corrupt("log record", e.to_string()))?;
        if let Some(&ordinal) = self.resources.get(self.scratch.as_slice()) {
            return Ok(ordinal);
        }
        let otlp = Bytes::copy_from_slice(&self.scratch);
        let new = ordinal(self.resources.len())?;
        self.weight_bytes += ENTRY_BYTES + 2 * otlp.len() as u64;
        self.shared.resources.set(self.resources.len(), Resource::new(otlp.clone())?);
        self.resources.insert(otlp, new);
        Ok(new)
    }

    fn scope(&mut self, view: &ScopeSpansView<'_>) -> Result<u32> {
        self.scratch.clear();
        frame_scope(view, &mut self.scratch).map_err(|e| Error::corrupt("log record", e.to_string()))?;
        if let Some(&ordinal) = self.scopes.get(self.scratch.as_slice()) {
            return Ok(ordinal);
        }
        let otlp = Bytes::copy_from_slice(&self.scratch);
        let new = ordinal(self.scopes.len())?;
        self.weight_bytes += ENTRY_BYTES + 2 * otlp.len() as u64;
        self.shared.scopes.set(self.scopes.len(), Scope { otlp: otlp.clone() });
        self.scopes.insert(otlp, new);
        Ok(new)
    }

    fn operation(&mut self, resource: u32, name: &str, kind: i32) -> Result<u32> {
        self.scratch.clear();
        self.scratch.extend_from_slice(&resource.to_le_bytes());
        self.scratch.extend_from_slice(&kind.to_le_bytes());
        self.scratch.extend_from_slice(name.as_bytes());
        if let Some(&ordinal) = self.operations.get(self.scratch.as_slice()) {
            return Ok(ordinal);
        }
        let service = self.shared.resources.get(resource as usize).map(|r| Arc::clone(&r.service));
        let service = service.unwrap_or_else(|| Arc::from(crate::names::MISSING_SERVICE));
        let new = ordinal(self.operations.len())?;
        self.weight_bytes += ENTRY_BYTES + 2 * name.len() as u64;
        self.shared.operations.set(self.operations.len(), Operation { service, name: name.into(), kind });
        self.operations.insert(self.scratch.as_slice().into(), new);
        Ok(new)
    }
}

impl View {
    /// How many spans it shows.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.spans
    }

    pub(crate) fn records(&self, range: Range<usize>) -> impl Iterator<Item = &HeadRecord> {
        (range.start..range.end.min(self.records)).filter_map(|i| self.shared.records.get(i))
    }

    /// How many records it shows.
    pub(crate) fn len(&self) -> usize {
        self.records
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        (0..self.operations).filter_map(|i| self.shared.operations.get(i))
    }

    pub(crate) fn operation(&self, ordinal: u32) -> Option<&Operation> {
        self.shared.operations.get(ordinal as usize)
    }

    pub(crate) fn resource(&self, ordinal: u32) -> Option<&Resource> {
        self.shared.resources.get(ordinal as usize)
    }

    pub(crate) fn scope(&self, ordinal: u32) -> Option<&Scope> {
        self.shared.scopes.get(ordinal as usize)
    }

    /// The records that hold spans of a trace, with those spans.
    pub(crate) fn find(&self, trace_id: &[u8; 16]) -> Vec<(&HeadRecord, &[SpanRef])> {
        let mut found = Vec::new();
        let mut look = |i: usize| {
            if let Some(record) = self.shared.records.get(i) {
                let spans = record.of_trace(trace_id);
                if !spans.is_empty() {
                    found.push((record, spans));
                }
            }
        };
        let indexed = self.records / BLOCK_RECORDS;
        for block in 0..indexed {
            if let Some(index) = self.shared.indexes.get(block) {
                index.records_of(trace_id).for_each(|i| look(block * BLOCK_RECORDS + i));
            }
        }
        (indexed * BLOCK_RECORDS..self.records).for_each(look);
        found
    }
}
