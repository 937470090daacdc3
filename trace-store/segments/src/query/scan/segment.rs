//! Scanning a segment: row group by row group, narrow columns first.
//!
//! Knows: which row groups and columns a search has to read. Must not know: what a match means.

use std::sync::Arc;

use arrow_array::{
    Array, BooleanArray, FixedSizeBinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};
use arrow_schema::ArrowError;
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, RowFilter};
use runtime_engine::Result;

use super::places::{Place, Places};
use super::{Match, Window};
use crate::Cost;
use crate::query::condition::{Conditions, Facts, Verdict};
use crate::query::order::ByStart;
use crate::segment::{Extra, NARROW_ROWS, Scan, Segment, column, duration_of, typed};

/// What the row filters of a segment share.
struct Judged {
    conditions: Arc<Conditions>,
    resources: Vec<Verdict>,
    scopes: Vec<Verdict>,
}

impl Judged {
    fn verdicts(&self, resource: u32, scope: u32) -> Option<(&Verdict, &Verdict)> {
        self.resources.get(resource as usize).zip(self.scopes.get(scope as usize))
    }
}

/// A segment to search.
pub(crate) struct SegmentScan<'s> {
    segment: &'s Segment,
    judged: Arc<Judged>,
    /// Row groups with operations that can match.
    row_groups: Vec<usize>,
}

impl<'s> SegmentScan<'s> {
    /// Judges the tables of a segment; nothing when no span of it can match.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they cannot be read.
    pub(crate) fn new(segment: &'s Segment, conditions: &Arc<Conditions>) -> Result<Option<Self>> {
        if !conditions.may_start(segment.extra.start_min, segment.extra.start_max) {
            return Ok(None);
        }
        let operations = segment.tables.operations.iter().filter(|(o, _)| conditions.may_be(o));
        let mut row_groups: Vec<usize> =
            operations.flat_map(|(_, groups)| groups.iter().map(|g| *g as usize)).collect();
        row_groups.sort_unstable();
        row_groups.dedup();
        if row_groups.is_empty() {
            return Ok(None);
        }
        let resources = segment.tables.resources.iter().map(|r| conditions.judge_resource(r));
        let scopes = segment.tables.scopes.iter().map(|s| conditions.judge_scope(s));
        let judged = Judged {
            resources: resources.collect::<Result<_>>()?,
            scopes: scopes.collect::<Result<_>>()?,
            conditions: Arc::clone(conditions),
        };
        Ok(Some(Self { segment, judged: Arc::new(judged), row_groups }))
    }

    /// The best score that a span of the segment can have.
    pub(crate) fn score_max(&self, by: ByStart) -> u64 {
        let Extra { start_min, start_max, .. } = self.segment.extra;
        by.score(start_min).max(by.score(start_max))
    }

    /// Row groups that may hold matches.
    pub(crate) fn row_groups(&self) -> usize {
        self.row_groups.len()
    }

    /// Collects matching spans of a row group that start in the window; says whether anything had to be read.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a failed read.
    pub(crate) fn scan(
        &self,
        which: usize,
        window: Window,
        cost: &mut Cost,
        found: &mut Vec<(u64, [u8; 16])>,
    ) -> Result<bool> {
        let Some(&group) = self.row_groups.get(which).filter(|group| self.may_match(**group, window)) else {
            return Ok(false);
        };
        let Some(places) = self.places(group) else { return Ok(false) };
        let part = &self.segment.spans;
        let mut batches = part.scan(Scan {
            row_groups: vec![group],
            projection: part.projection([column::TRACE_ID, column::START]),
            selection: None,
            filter: Some(RowFilter::new(self.predicates(window, places))),
            batch_rows: NARROW_ROWS,
        })?;
        while let Some(batch) = batches.next(cost)? {
            let ids: &FixedSizeBinaryArray = typed(batch.columns().first(), "trace_id")?;
            let starts: &UInt64Array = typed(batch.columns().get(1), "start_unix_nano")?;
            for (id, start) in ids.iter().zip(starts.values()) {
                if let Some(id) = id.and_then(|id| id.try_into().ok()) {
                    window.note(found, *start, id);
                }
            }
        }
        cost.spans += part.rows_of(group);
        Ok(true)
    }

    /// Collects the matching spans of some traces; `ids` are sorted.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a failed read.
    pub(crate) fn matches_of(
        &self,
        ids: &Arc<[[u8; 16]]>,
        cost: &mut Cost,
        found: &mut Vec<Match>,
    ) -> Result<()> {
        let part = &self.segment.spans;
        for &group in self.row_groups.iter().filter(|group| self.may_match(**group, Window::ALL)) {
            let (row_groups, selection) = self.segment.places_of(ids, [group]);
            let Some(places) = self.places(group).filter(|_| !row_groups.is_empty()) else { continue };
            let mut predicates = vec![self.segment.only(Arc::clone(ids))];
            predicates.extend(self.predicates(Window::ALL, places));
            let mut batches = part.scan(Scan {
                row_groups,
                projection: part.projection([column::TRACE_ID, column::SPAN_ID, column::START]),
                selection: Some(selection),
                filter: Some(RowFilter::new(predicates)),
                batch_rows: NARROW_ROWS,
            })?;
            while let Some(batch) = batches.next(cost)? {
                let trace_ids: &FixedSizeBinaryArray = typed(batch.columns().first(), "trace_id")?;
                let span_ids: &FixedSizeBinaryArray = typed(batch.columns().get(1), "span_id")?;
                let starts: &UInt64Array = typed(batch.columns().get(2), "start_unix_nano")?;
                for row in 0..batch.num_rows() {
                    let ids = (trace_ids.value(row).try_into(), span_ids.value(row).try_into());
                    if let (Ok(trace_id), Ok(span_id)) = ids {
                        found.push(Match { trace_id, start: starts.value(row), span_id });
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the statistics of a row group leave a chance.
    fn may_match(&self, group: usize, window: Window) -> bool {
        let conditions = &self.judged.conditions;
        let part = &self.segment.spans;
        let starts = part.range_u64(group, column::START);
        // durations wrap: they tell nothing where one is negative, or where a start is beyond the year 2262
        let do_wrap = starts.is_none_or(|(_, last)| i64::try_from(last).is_err());
        let durations = part
            .range_i64(group, column::DURATION)
            .filter(|_| !do_wrap)
            .and_then(|(min, max)| Some((u64::try_from(min).ok()?, u64::try_from(max).ok()?)));
        starts.is_none_or(|(min, max)| {
            conditions.may_start(min, max) && min <= window.last && max >= window.first
        }) && durations
            .is_none_or(|(min, max)| min <= conditions.duration_max && max >= conditions.duration_min)
    }

    /// Where in a row group each attribute asked for can be; nothing when one of them can be nowhere.
    fn places(&self, group: usize) -> Option<Vec<Place>> {
        let mut places = Vec::new();
        for (i, (key, wanted)) in self.judged.conditions.anywhere.iter().enumerate() {
            let place = Place::new(self.segment, group, key, wanted);
            let mut judged = self.judged.resources.iter().chain(&self.judged.scopes);
            if place.is_nowhere() && !judged.any(|verdict| verdict.may_match && verdict.has(i)) {
                return None;
            }
            places.push(place);
        }
        Some(places)
    }

    /// First what is cheap to read, then attributes where it held.
    fn predicates(&self, window: Window, places: Vec<Place>) -> Vec<Box<dyn ArrowPredicate>> {
        let mut predicates = vec![self.facts_filter(window)];
        if !places.is_empty() {
            predicates.push(self.attributes_filter(places));
        }
        predicates
    }

    fn facts_filter(&self, window: Window) -> Box<dyn ArrowPredicate> {
        let (names, kinds, statuses) = self.judged.conditions.asks();
        let mut roots = vec![column::START, column::DURATION];
        roots.extend(names.then_some(column::NAME));
        roots.extend(kinds.then_some(column::KIND));
        roots.extend(statuses.then_some(column::STATUS_CODE));
        roots.extend([column::RESOURCE, column::SCOPE]);
        let judged = Arc::clone(&self.judged);
        let projection = self.segment.spans.projection(roots);
        Box::new(ArrowPredicateFn::new(projection, move |batch| {
            facts_hold(&judged, window, &batch).map_err(|e| ArrowError::from_external_error(Box::new(e)))
        }))
    }

    fn attributes_filter(&self, mut places: Vec<Place>) -> Box<dyn ArrowPredicate> {
        let mut roots = vec![column::RESOURCE, column::SCOPE];
        places.iter().for_each(|place| roots.extend(place.roots()));
        roots.sort_unstable();
        roots.dedup();
        // columns come in the order of the schema
        places.iter_mut().for_each(|place| place.project(&roots));
        let judged = Arc::clone(&self.judged);
        let projection = self.segment.spans.projection(roots.iter().copied());
        Box::new(ArrowPredicateFn::new(projection, move |batch| {
            attributes_hold(&judged, &places, &batch)
                .map_err(|e| ArrowError::from_external_error(Box::new(e)))
        }))
    }
}

fn facts_hold(judged: &Judged, window: Window, batch: &RecordBatch) -> Result<BooleanArray> {
    let column = |name: &str| batch.column_by_name(name);
    let starts: &UInt64Array = typed(column("start_unix_nano"), "start_unix_nano")?;
    let durations: &Int64Array = typed(column("duration_nano"), "duration_nano")?;
    let resources: &UInt32Array = typed(column("resource"), "resource")?;
    let scopes: &UInt32Array = typed(column("scope"), "scope")?;
    let names = column("name").map(|c| typed::<StringArray>(Some(c), "name")).transpose()?;
    let kinds = column("kind").map(|c| typed::<Int32Array>(Some(c), "kind")).transpose()?;
    let statuses = column("status_code").map(|c| typed::<Int32Array>(Some(c), "status_code")).transpose()?;
    let holds = |row: usize| {
        let start = starts.value(row);
        if !window.contains(start) {
            return false;
        }
        let facts = Facts {
            start,
            duration: duration_of(start, durations.value(row)),
            name: names.map_or("", |names| names.value(row)),
            kind: kinds.map_or(0, |kinds| kinds.value(row)),
            status: statuses.filter(|s| s.is_valid(row)).map_or(0, |s| s.value(row)),
        };
        judged
            .verdicts(resources.value(row), scopes.value(row))
            .is_some_and(|(resource, scope)| judged.conditions.facts_hold(&facts, resource, scope))
    };
    Ok((0..batch.num_rows()).map(holds).collect::<Vec<bool>>().into())
}

fn attributes_hold(judged: &Judged, places: &[Place], batch: &RecordBatch) -> Result<BooleanArray> {
    let resources: &UInt32Array = typed(batch.column_by_name("resource"), "resource")?;
    let scopes: &UInt32Array = typed(batch.column_by_name("scope"), "scope")?;
    let places = Places::new(places, batch)?;
    let mut holds = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        holds.push(match judged.verdicts(resources.value(row), scopes.value(row)) {
            Some((resource, scope)) => {
                judged.conditions.attributes_hold(resource, scope, |condition, key, wanted| {
                    places.has(row, condition, key, wanted)
                })?
            }
            None => false,
        });
    }
    Ok(holds.into())
}
