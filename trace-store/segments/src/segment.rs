//! An opened segment: the four parts of one immutable object.
//!
//! Knows: what is resident of it (footers, page index, blooms, tables) and how a trace is found. Must not know: queries
//! over several objects. Start at [`Segment::open`]; the format is drawn in `docs/segment-format.md`.

mod attributes;
mod columns;
mod extra;
mod find;
mod gather;
mod layout;
mod outline;
mod read;
mod rows;
mod tables_part;
mod traces;
mod writer;

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow_array::{BooleanArray, FixedSizeBinaryArray, RecordBatch};
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, RowFilter, RowSelection, RowSelector};
use parquet::bloom_filter::Sbbf;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use runtime_engine::{Error, ObjectMeta, ReadAt, Result};

use crate::Cost;
use crate::red::{SegmentSums, Stored};
use crate::tables::{Resource, Scope};
pub(crate) use attributes::{AttributesColumn, attributes_of_items, list, row_range, typed};
pub(crate) use extra::Extra;
pub(crate) use gather::{Fit, Gather, Key, Rows};
pub(crate) use layout::{DEDICATED_MAX, Dedicated, Layout, ValueType, column};
pub(crate) use outline::Outline;
pub(crate) use read::{Batches, Part, Scan};
pub(crate) use rows::{DedicatedValues, SpanRows, duration_of};
pub(crate) use tables_part::{Tables, TablesBuilder};
use writer::PARTS;
pub(crate) use writer::{BATCH_BYTES_MAX, Repeats, RowsWriter, SegmentWriter, arrow_error};

/// Rows decoded at a time where whole rows are read: a string column of 1 MiB values still fits its offsets.
pub(crate) const WHOLE_ROWS: usize = 1024;
/// Rows decoded at a time where a few narrow columns are read.
pub(crate) const NARROW_ROWS: usize = 8192;

/// An opened segment: footers, page index, bloom filters and tables are resident.
pub struct Segment {
    pub(crate) extra: Extra,
    pub(crate) layout: Arc<Layout>,
    pub(crate) tables: Tables,
    pub(crate) spans: Part,
    pub(crate) keys: KeyLeaves,
    /// What its spans add up to.
    pub(crate) red: SegmentSums,
    blooms: Vec<Option<Sbbf>>,
    row_group_ids: Vec<([u8; 16], [u8; 16])>,
    traces: OnceLock<Part>,
    /// Name and bytes of the `traces` part.
    traces_part: (String, Arc<dyn ReadAt>),
}

/// The leaf columns that hold the keys of attributes without columns of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyLeaves {
    pub(crate) list: Option<usize>,
    pub(crate) events: Option<usize>,
    pub(crate) links: Option<usize>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("extra", &self.extra).finish_non_exhaustive()
    }
}

impl Segment {
    /// Opens a stored segment.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not one, or of another version; a failed read.
    pub(crate) fn open(meta: &ObjectMeta, parts: &[Arc<dyn ReadAt>]) -> Result<Self> {
        let names: Vec<&str> = meta.parts.iter().map(|part| part.name.as_str()).collect();
        let ([spans, traces, tables, red], true) = (parts, names == PARTS) else {
            let detail = format!("has parts {names:?}, expected {PARTS:?}");
            return Err(Error::corrupt(format!("segment {}", meta.id), detail));
        };
        let open =
            |which: &str, io: &Arc<dyn ReadAt>| Part::open(format!("{}.{which}", meta.id), Arc::clone(io));
        let spans = open("spans", spans)?;
        let layout = Layout::of_schema(spans.metadata.schema());
        let layout = layout.ok_or_else(|| spans.corrupt("its columns are not those of the format"))?;
        let mut segment = Self {
            extra: Extra::decode(&meta.extra)?,
            layout: Arc::new(layout),
            tables: read_tables(&open("tables", tables)?)?,
            red: SegmentSums::new(Stored::new(open("red", red)?)?, meta.id),
            keys: KeyLeaves {
                list: spans.leaf_at("attributes.list.element.key"),
                events: spans.leaf_at("events.list.element.attributes.list.element.key"),
                links: spans.leaf_at("links.list.element.attributes.list.element.key"),
            },
            blooms: spans.blooms(column::TRACE_ID)?,
            row_group_ids: Vec::new(),
            traces: OnceLock::new(),
            traces_part: (format!("{}.traces", meta.id), Arc::clone(traces)),
            spans,
        };
        for group in 0..segment.spans.row_groups() {
            segment.row_group_ids.push(segment.ids_of(group)?);
        }
        Ok(segment)
    }

    /// The resource of a row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the table has no such entry.
    pub(crate) fn resource(&self, ordinal: u32) -> Result<&Resource> {
        let found = self.tables.resources.get(ordinal as usize);
        found.ok_or_else(|| self.spans.corrupt(format!("resource {ordinal} is not in the tables")))
    }

    /// The scope of a row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the table has no such entry.
    pub(crate) fn scope(&self, ordinal: u32) -> Result<&Scope> {
        let found = self.tables.scopes.get(ordinal as usize);
        found.ok_or_else(|| self.spans.corrupt(format!("scope {ordinal} is not in the tables")))
    }

    /// How many spans have a value in a dedicated column.
    pub(crate) fn values_of(&self, dedicated: usize) -> u64 {
        let leaf = self.spans.leaf_of(column::DEDICATED + dedicated);
        let groups = self.spans.metadata.metadata().row_groups();
        let nulls = groups.iter().map(|group| {
            let statistics = group.columns().get(leaf?)?.statistics()?;
            statistics.null_count_opt()
        });
        let nulls: u64 = nulls.map(|nulls| nulls.unwrap_or(0)).sum();
        self.extra.spans.saturating_sub(nulls)
    }

    /// All rows, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the footer contradicts itself.
    pub(crate) fn all_rows(&self) -> Result<Batches<'_>> {
        let groups = (0..self.spans.row_groups()).collect();
        self.spans.scan(self.whole_rows(groups))
    }

    /// The rows of a trace, whole; nothing when it is surely not here.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the footer contradicts itself.
    pub(crate) fn rows_of(&self, trace_id: &[u8; 16]) -> Result<Option<Batches<'_>>> {
        if !self.extra.may_hold(trace_id) {
            return Ok(None);
        }
        let ids: Arc<[[u8; 16]]> = Arc::new([*trace_id]);
        let (row_groups, selection) = self.places_of(&ids, 0..self.spans.row_groups());
        if row_groups.is_empty() {
            return Ok(None);
        }
        let filter = Some(RowFilter::new(vec![self.only(ids)]));
        let scan = Scan { selection: Some(selection), filter, ..self.whole_rows(row_groups) };
        self.spans.scan(scan).map(Some)
    }

    /// Where rows of traces can be, of some row groups: the row groups that are left and pages of these. `ids` are
    /// sorted. The rows have neighbours that [`Segment::only`] keeps out.
    pub(crate) fn places_of(
        &self,
        ids: &[[u8; 16]],
        row_groups: impl IntoIterator<Item = usize>,
    ) -> (Vec<usize>, RowSelection) {
        let mut groups = Vec::new();
        let mut selectors: Vec<RowSelector> = Vec::new();
        for group in row_groups {
            let Some((min, max)) = self.row_group_ids.get(group) else { continue };
            let bloom = self.blooms.get(group).and_then(Option::as_ref);
            let from = ids.partition_point(|id| id < min);
            let to = ids.partition_point(|id| id <= max);
            let within = ids.get(from..to).unwrap_or_default().iter();
            let may_hold = |id: &&[u8; 16]| bloom.is_none_or(|bloom| bloom.check(id.as_slice()));
            let within: Vec<[u8; 16]> = within.filter(may_hold).copied().collect();
            if !within.is_empty() {
                groups.push(group);
                selectors.extend(self.pages_of(group, &within));
            }
        }
        (groups, RowSelection::from(selectors))
    }

    fn whole_rows(&self, row_groups: Vec<usize>) -> Scan {
        let projection = parquet::arrow::ProjectionMask::all();
        Scan { row_groups, projection, selection: None, filter: None, batch_rows: WHOLE_ROWS }
    }

    /// Late materialisation: the ids are read first, other columns only where they are right. `ids` are sorted.
    pub(crate) fn only(&self, ids: Arc<[[u8; 16]]>) -> Box<dyn ArrowPredicate> {
        let projection = self.spans.projection([column::TRACE_ID]);
        Box::new(ArrowPredicateFn::new(projection, move |batch: RecordBatch| {
            let column =
                batch.columns().first().and_then(|c| c.as_any().downcast_ref::<FixedSizeBinaryArray>());
            // rows of a trace come together
            let mut last: (Option<&[u8]>, bool) = (None, false);
            let rows = column.into_iter().flat_map(FixedSizeBinaryArray::iter).map(|id| {
                if last.0 != id {
                    let known = id.and_then(|id| <[u8; 16]>::try_from(id).ok());
                    last = (id, known.is_some_and(|id| ids.binary_search(&id).is_ok()));
                }
                last.1
            });
            Ok::<BooleanArray, arrow_schema::ArrowError>(rows.collect::<Vec<bool>>().into())
        }))
    }

    /// Pages of a row group that may hold any of some traces, as runs of rows. `ids` are sorted.
    fn pages_of(&self, group: usize, ids: &[[u8; 16]]) -> Vec<RowSelector> {
        let metadata = self.spans.metadata.metadata();
        let rows = metadata.row_groups().get(group).map_or(0, |g| usize::try_from(g.num_rows()).unwrap_or(0));
        let whole = vec![RowSelector::select(rows)];
        let Some(index) = metadata.page_index() else { return whole };
        let Some(ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(bounds)) =
            index.column_index(group, column::TRACE_ID)
        else {
            return whole;
        };
        let Some(pages) = index.offset_index(group, column::TRACE_ID) else { return whole };
        let firsts: Vec<usize> =
            pages.page_locations().iter().map(|p| usize::try_from(p.first_row_index).unwrap_or(0)).collect();
        let ends = firsts.iter().skip(1).copied().chain([rows]);
        let mut selectors = Vec::new();
        for (page, (first, end)) in firsts.iter().zip(ends).enumerate() {
            let least = bounds.min_value(page).map_or(0, |min| ids.partition_point(|id| id.as_slice() < min));
            let may_hold = ids
                .get(least)
                .is_some_and(|id| bounds.max_value(page).is_none_or(|max| id.as_slice() <= max));
            let count = end.saturating_sub(*first);
            selectors.push(if may_hold { RowSelector::select(count) } else { RowSelector::skip(count) });
        }
        selectors
    }

    /// The `traces` part, opened when it is first asked for.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not one; a failed read.
    pub(crate) fn traces(&self) -> Result<&Part> {
        if let Some(open) = self.traces.get() {
            return Ok(open);
        }
        let part = Part::open(self.traces_part.0.clone(), Arc::clone(&self.traces_part.1))?;
        Ok(self.traces.get_or_init(|| part))
    }

    fn ids_of(&self, group: usize) -> Result<([u8; 16], [u8; 16])> {
        let statistics = self.spans.metadata.metadata().row_groups().get(group);
        let statistics =
            statistics.and_then(|g| g.columns().get(column::TRACE_ID)).and_then(|c| c.statistics());
        let id = |bytes: Option<&[u8]>| bytes.and_then(|b| <[u8; 16]>::try_from(b).ok());
        let min = id(statistics.and_then(|s| s.min_bytes_opt()));
        let max = id(statistics.and_then(|s| s.max_bytes_opt()));
        min.zip(max)
            .ok_or_else(|| self.spans.corrupt(format!("row group {group} does not tell its trace ids")))
    }
}

fn read_tables(part: &Part) -> Result<Tables> {
    if part.metadata.schema().fields() != tables_part::schema().fields() {
        return Err(part.corrupt("its columns are not those of the format"));
    }
    let row_groups = (0..part.row_groups()).collect();
    let projection = parquet::arrow::ProjectionMask::all();
    let mut rows =
        part.scan(Scan { row_groups, projection, selection: None, filter: None, batch_rows: WHOLE_ROWS })?;
    let mut tables = Tables::default();
    while let Some(batch) = rows.next(&mut Cost::default())? {
        tables.extend(&batch)?;
    }
    Ok(tables)
}
