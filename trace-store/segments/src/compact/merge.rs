//! Merging segments: a k-way merge that copies runs of rows column by column.
//!
//! Knows: the order of rows, and spans that are equal in everything. Must not know: how a run is copied. Start at [`run`].

use std::sync::Arc;

use arrow_array::UInt32Array;
use runtime_engine::{Error, ObjectSink, Result, Stop};

use crate::Cost;
use crate::flush::Counts;
use crate::red::Sums;
use crate::segment::{
    BATCH_BYTES_MAX, Batches, Dedicated, Fit, Gather, Key, Layout, Rows, Segment, SegmentWriter, SpanRows,
    TablesBuilder, column, typed,
};

/// Merges segments into one: rows by (trace id, start, span id), exact duplicates once.
///
/// # Errors
/// [`Error::Stopped`]; the inputs' and the sink's otherwise.
pub(crate) fn run(level: u8, inputs: &[Arc<Segment>], out: &mut dyn ObjectSink, stop: &Stop) -> Result<()> {
    let layout = Arc::new(Layout::new(choose(inputs)));
    let writer = SegmentWriter::new(out, Arc::clone(&layout), Sums::merged(inputs)?)?;
    let mut output = Output { writer, layout, gather: Gather::default(), last: Last::default() };
    let mut open = Vec::new();
    for segment in inputs {
        open.extend(Input::open(segment, &mut output)?);
    }
    while let Some(least) = least(&open) {
        if stop.is_stopped() {
            return Err(Error::Stopped);
        }
        let limit = open.iter().enumerate().filter(|(i, _)| *i != least).map(|(_, input)| input.key).min();
        let Some(input) = open.get_mut(least) else { break };
        output.take(input, limit)?;
        if input.row == input.rows.len() && !input.next_batch(&mut output)? {
            open.swap_remove(least);
        }
    }
    output.gather.write(&mut output.writer, &output.layout.schema)?;
    output.writer.finish(level)
}

fn least(open: &[Input<'_>]) -> Option<usize> {
    open.iter().enumerate().min_by_key(|(_, input)| input.key).map(|(i, _)| i)
}

/// The attributes that get columns, from those that have one in an input.
fn choose(inputs: &[Arc<Segment>]) -> Vec<Dedicated> {
    let mut counts = Counts::default();
    for segment in inputs {
        counts.spans += segment.extra.spans;
        for (ordinal, attribute) in segment.layout.dedicated.iter().enumerate() {
            counts.add(attribute.value, &attribute.key, segment.values_of(ordinal));
        }
    }
    counts.choose()
}

/// One input of a merge: where it is, and how its columns and tables map to those of the output.
struct Input<'s> {
    segment: &'s Segment,
    batches: Batches<'s>,
    fit: Fit,
    /// By ordinal of the input, that of the output once it is known.
    resources: Vec<Option<u32>>,
    scopes: Vec<Option<u32>>,
    rows: Arc<Rows>,
    row: usize,
    key: Key,
}

impl<'s> Input<'s> {
    /// Reads the first batch; nothing for a segment without rows.
    fn open(segment: &'s Segment, output: &mut Output<'_>) -> Result<Option<Self>> {
        let fit = Fit::new(Arc::clone(&segment.layout), Arc::clone(&output.layout));
        let (mut batches, mut resources, mut scopes) = (segment.all_rows()?, Vec::new(), Vec::new());
        let tables = &mut output.writer.tables;
        let first = read(segment, &mut batches, &fit, &mut resources, &mut scopes, tables)?;
        let Some(rows) = first else { return Ok(None) };
        let key = rows.key(0);
        Ok(Some(Self { segment, batches, fit, resources, scopes, rows: Arc::new(rows), row: 0, key }))
    }

    /// Goes to the next batch; false at the end.
    fn next_batch(&mut self, output: &mut Output<'_>) -> Result<bool> {
        output.writer.breathe();
        let Self { segment, batches, fit, resources, scopes, .. } = self;
        let next = read(segment, batches, fit, resources, scopes, &mut output.writer.tables)?;
        let Some(rows) = next else { return Ok(false) };
        (self.row, self.key) = (0, rows.key(0));
        self.rows = Arc::new(rows);
        Ok(true)
    }
}

/// The next batch that has rows, as one of the output.
fn read(
    segment: &Segment,
    batches: &mut Batches<'_>,
    fit: &Fit,
    resources: &mut Vec<Option<u32>>,
    scopes: &mut Vec<Option<u32>>,
    tables: &mut TablesBuilder,
) -> Result<Option<Rows>> {
    while let Some(batch) = batches.next(&mut Cost::default())? {
        if batch.num_rows() == 0 {
            continue;
        }
        let at = |i: usize| batch.columns().get(i);
        let resources = ordinals(typed(at(column::RESOURCE), "resource")?, resources, &mut |ordinal| {
            tables.resource(segment.resource(ordinal)?)
        })?;
        let scopes = ordinals(typed(at(column::SCOPE), "scope")?, scopes, &mut |ordinal| {
            tables.scope(segment.scope(ordinal)?)
        })?;
        return fit.rows(&batch, resources, scopes).map(Some);
    }
    Ok(None)
}

/// A column of ordinals in the tables of the input as one in those of the output; `look_up` knows the new ones.
fn ordinals(
    column: &UInt32Array,
    known: &mut Vec<Option<u32>>,
    look_up: &mut dyn FnMut(u32) -> Result<u32>,
) -> Result<UInt32Array> {
    let mut out = Vec::with_capacity(column.len());
    for &ordinal in column.values() {
        let found = known.get(ordinal as usize).copied().flatten();
        out.push(match found {
            Some(new) => new,
            None => {
                // an ordinal that no table has is refused here, before it makes the list long
                let new = look_up(ordinal)?;
                let at = ordinal as usize;
                if known.len() <= at {
                    known.resize(at + 1, None);
                }
                if let Some(slot) = known.get_mut(at) {
                    *slot = Some(new);
                }
                new
            }
        });
    }
    Ok(out.into())
}

/// The segment being made.
struct Output<'s> {
    writer: SegmentWriter<'s>,
    layout: Arc<Layout>,
    gather: Gather,
    last: Last,
}

impl Output<'_> {
    /// Takes rows of the batch at hand up to and including those with the key `limit`.
    fn take(&mut self, input: &mut Input<'_>, limit: Option<Key>) -> Result<()> {
        let rows = Arc::clone(&input.rows);
        let mut from = input.row;
        while input.row < rows.len() && limit.is_none_or(|limit| input.key <= limit) {
            if self.last.is_repeated(&rows, input.row, input.key, &self.layout)? {
                self.add(&rows, from, input.row)?;
                self.writer.repeated(&rows.outline(input.row));
                from = input.row + 1;
            }
            input.row += 1;
            if input.row < rows.len() {
                input.key = rows.key(input.row);
            }
        }
        if let Some(last) = input.row.checked_sub(1) {
            self.last.before = Some((Arc::clone(&rows), last));
        }
        self.add(&rows, from, input.row)
    }

    /// Adds a run of rows, page by page.
    fn add(&mut self, rows: &Arc<Rows>, mut from: usize, to: usize) -> Result<()> {
        while from < to {
            let room = self.writer.room_rows().saturating_sub(self.gather.rows()).max(1);
            let end = to.min(from + room);
            self.gather.add(rows, from..end);
            from = end;
            if self.gather.rows() >= self.writer.room_rows() || self.gather.bytes() >= BATCH_BYTES_MAX {
                self.gather.write(&mut self.writer, &self.layout.schema)?;
            }
        }
        Ok(())
    }
}

/// The rows with the key of the last one, to recognise the same span sent twice.
#[derive(Default)]
struct Last {
    key: Option<Key>,
    /// The last row of the run before.
    before: Option<(Arc<Rows>, usize)>,
    /// Resource, scope and OTLP of the rows with this key; empty while there is only one.
    contents: Vec<Content>,
}

type Content = (u32, u32, Vec<u8>);

impl Last {
    /// Whether the very same span was seen right before; remembers it otherwise.
    fn is_repeated(&mut self, rows: &Arc<Rows>, row: usize, key: Key, layout: &Layout) -> Result<bool> {
        if self.key != Some(key) {
            self.key = Some(key);
            self.contents.clear();
            return Ok(false);
        }
        if self.contents.is_empty() {
            let first = match row.checked_sub(1).filter(|before| rows.key(*before) == key) {
                Some(before) => Some(content(rows, before, layout)?),
                None => self.before.as_ref().map(|(rows, row)| content(rows, *row, layout)).transpose()?,
            };
            self.contents.extend(first);
        }
        let this = content(rows, row, layout)?;
        let seen = self.contents.contains(&this);
        if !seen {
            self.contents.push(this);
        }
        Ok(seen)
    }
}

fn content(rows: &Rows, row: usize, layout: &Layout) -> Result<Content> {
    let rows = SpanRows::new(&rows.batch, layout)?;
    let mut otlp = Vec::new();
    rows.write(row, &mut otlp)?;
    Ok((rows.resource(row), rows.scope(row), otlp))
}
