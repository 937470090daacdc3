//! Scanning a head: chunk by chunk, the newest records first.
//!
//! Knows: what a head knows of spans without reading them. Must not know: segments.

use std::sync::Arc;

use runtime_engine::Result;

use super::{Match, Window};
use crate::head::{HeadRecord, SpanRef};
use crate::query::condition::{Conditions, Facts, Verdict};
use crate::{Cost, View};

/// Records of a head that are scanned before the answer so far narrows the window.
const CHUNK_RECORDS: usize = 16;

/// A head to search.
pub(crate) struct HeadScan<'s> {
    head: &'s View,
    conditions: Arc<Conditions>,
    resources: Vec<Verdict>,
    scopes: Vec<Verdict>,
}

impl<'s> HeadScan<'s> {
    /// Judges the tables of a head.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they cannot be read.
    pub(crate) fn new(head: &'s View, conditions: Arc<Conditions>) -> Result<Self> {
        let resources = (0..).map_while(|i| head.resource(i));
        let scopes = (0..).map_while(|i| head.scope(i));
        Ok(Self {
            head,
            resources: resources.map(|r| conditions.judge_resource(r)).collect::<Result<_>>()?,
            scopes: scopes.map(|s| conditions.judge_scope(s)).collect::<Result<_>>()?,
            conditions,
        })
    }

    /// How many chunks the head is scanned in: the last ones have the newest spans, mostly.
    pub(crate) fn chunks(&self) -> usize {
        self.head.len().div_ceil(CHUNK_RECORDS)
    }

    /// Collects matching spans of a chunk that start in the window.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a span cannot be read.
    pub(crate) fn scan(
        &self,
        chunk: usize,
        window: Window,
        cost: &mut Cost,
        found: &mut Vec<(u64, [u8; 16])>,
    ) -> Result<()> {
        let first = chunk * CHUNK_RECORDS;
        for record in self.head.records(first..first + CHUNK_RECORDS) {
            cost.spans += record.spans.len() as u64;
            for span in record.spans.iter().filter(|span| window.contains(span.start)) {
                if self.is_match(record, span)? {
                    window.note(found, span.start, span.trace_id);
                }
            }
        }
        Ok(())
    }

    /// Collects the matching spans of a trace.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a span cannot be read.
    pub(crate) fn matches_of(&self, id: &[u8; 16], cost: &mut Cost, found: &mut Vec<Match>) -> Result<()> {
        for (record, spans) in self.head.find(id) {
            cost.spans += spans.len() as u64;
            for span in spans {
                if self.is_match(record, span)? {
                    let span_id = record.span(span)?.span_id.try_into().unwrap_or_default();
                    found.push(Match { trace_id: *id, start: span.start, span_id });
                }
            }
        }
        Ok(())
    }

    fn is_match(&self, record: &HeadRecord, span: &SpanRef) -> Result<bool> {
        let judged = self.resources.get(span.resource as usize).zip(self.scopes.get(span.scope as usize));
        let (Some((resource, scope)), Some(operation)) = (judged, self.head.operation(span.operation)) else {
            return Ok(false);
        };
        let facts = Facts {
            start: span.start,
            duration: span.end.saturating_sub(span.start),
            name: &operation.name,
            kind: operation.kind,
            status: span.status,
        };
        if !self.conditions.facts_hold(&facts, resource, scope) {
            return Ok(false);
        }
        if self.conditions.anywhere.is_empty() {
            return Ok(true);
        }
        self.conditions.span_holds(&record.span(span)?, resource, scope)
    }
}
