//! Compaction and retention: what to merge or remove, and merging.
//!
//! Knows: levels and sizes of segments, and how sorted segments become one. Must not know: when it is run, or how the
//! result is committed. The plan is described in `docs/compaction.md`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::RecordBatch;
use runtime_engine::{Error, Job, ObjectMeta, ObjectSink, Policy, Result, Stop, Time};
use shared_proto::otlp::view::SpanView;

use crate::Cost;
use crate::flush::Counts;
use crate::segment::{Batches, Layout, Segment, SegmentWriter, SpanRows};

/// Spans between two looks at whether to stop.
const SPANS_BETWEEN_STOPS: u64 = 4096;

/// The next job: retention first, for it makes merges smaller; then the lowest level that has enough to merge.
pub(crate) fn plan(live: &[ObjectMeta], policy: &Policy, now: Time) -> Option<Job> {
    let expired = expired(live, policy, now);
    if !expired.is_empty() {
        return Some(Job::Expire { inputs: expired });
    }
    merge(live, policy)
}

/// The last moment that an object is about: its last span's end, but never later than it was written.
fn last_moment(meta: &ObjectMeta) -> Time {
    meta.time_max.min(meta.write_time)
}

fn expired(live: &[ObjectMeta], policy: &Policy, now: Time) -> Vec<runtime_engine::ObjectId> {
    let mut newest_first: Vec<&ObjectMeta> = live.iter().collect();
    newest_first.sort_by_key(|meta| Reverse((last_moment(meta), meta.id)));
    let mut kept_bytes = 0_u64;
    let mut is_over = |meta: &ObjectMeta| {
        let is_old = policy.retention.is_some_and(|age| last_moment(meta).plus(age) < now);
        kept_bytes = kept_bytes.saturating_add(meta.len_bytes());
        is_old || policy.retention_bytes.is_some_and(|max| kept_bytes > max)
    };
    newest_first.into_iter().filter(|meta| is_over(meta)).map(|meta| meta.id).collect()
}

fn merge(live: &[ObjectMeta], policy: &Policy) -> Option<Job> {
    let fan_in = policy.merge_fan_in.max(2);
    let mut levels: BTreeMap<u8, Vec<&ObjectMeta>> = BTreeMap::new();
    for meta in live {
        levels.entry(meta.level).or_default().push(meta);
    }
    for (level, mut objects) in levels {
        let Some(next) = level.checked_add(1) else { continue };
        // more than half of the largest size: finished, whatever its level
        objects.retain(|meta| meta.len_bytes() <= policy.object_bytes_max / 2);
        objects.sort_by_key(|meta| (meta.log_first, meta.id));
        let mut bytes = 0_u64;
        let fits = |meta: &&&ObjectMeta| {
            bytes = bytes.saturating_add(meta.len_bytes());
            bytes <= policy.object_bytes_max
        };
        let inputs: Vec<_> = objects.iter().take_while(fits).take(fan_in).map(|meta| meta.id).collect();
        // two halves fill an object, so what does not reach the fan-in for its size is merged too
        if inputs.len() == fan_in || (inputs.len() >= 2 && inputs.len() < objects.len().min(fan_in)) {
            return Some(Job::Merge { inputs, level: next });
        }
    }
    None
}

/// One input of a merge: where it is, and how its tables map to those of the output.
struct Input<'s> {
    segment: &'s Segment,
    batches: Batches<'s>,
    batch: Option<RecordBatch>,
    row: usize,
    key: Key,
    resources: HashMap<u32, u32>,
    scopes: HashMap<u32, u32>,
}

/// Rows of segments are sorted by this: trace id, start, span id.
type Key = (u128, u64, u64);

/// Merges segments into one: rows by (trace id, start, span id), exact duplicates once.
///
/// # Errors
/// [`Error::Stopped`]; the inputs' and the sink's otherwise.
pub(crate) fn run(level: u8, inputs: &[Arc<Segment>], out: &mut dyn ObjectSink, stop: &Stop) -> Result<()> {
    let layout = Arc::new(Layout::new(choose(inputs)));
    let mut writer = SegmentWriter::new(out, layout)?;
    let mut open = Vec::new();
    for segment in inputs {
        let batches = segment.all_rows()?;
        let mut input = Input {
            segment,
            batches,
            batch: None,
            row: 0,
            key: Key::default(),
            resources: HashMap::new(),
            scopes: HashMap::new(),
        };
        if input.next_batch()? {
            open.push(input);
        }
    }
    let mut bytes = Vec::new();
    let mut since_stop = 0;
    while let Some(least) = least(&open) {
        let limit = open.iter().enumerate().filter(|(i, _)| *i != least).map(|(_, input)| input.key).min();
        let Some(input) = open.get_mut(least) else { break };
        if since_stop >= SPANS_BETWEEN_STOPS {
            since_stop = 0;
            if stop.is_stopped() {
                return Err(Error::Stopped);
            }
        }
        let written = input.write_until(limit, &mut writer, &mut bytes)?;
        since_stop += written;
        if !input.has_row() && !input.next_batch()? {
            open.swap_remove(least);
        }
    }
    writer.finish(level)
}

fn least(open: &[Input<'_>]) -> Option<usize> {
    open.iter().enumerate().min_by_key(|(_, input)| input.key).map(|(i, _)| i)
}

impl Input<'_> {
    fn has_row(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| self.row < batch.num_rows())
    }

    /// Goes to the next batch; false at the end.
    fn next_batch(&mut self) -> Result<bool> {
        self.row = 0;
        self.batch = self.batches.next(&mut Cost::default())?;
        match &self.batch {
            Some(batch) => {
                self.key = key(&SpanRows::new(batch, &self.segment.layout)?, 0);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Writes rows of the batch at hand up to and including those with the key `limit`; says how many.
    fn write_until(
        &mut self,
        limit: Option<Key>,
        writer: &mut SegmentWriter<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<u64> {
        let Some(batch) = &self.batch else { return Ok(0) };
        let rows = SpanRows::new(batch, &self.segment.layout)?;
        let mut written = 0;
        while self.row < rows.len() {
            self.key = key(&rows, self.row);
            if limit.is_some_and(|limit| self.key > limit) {
                break;
            }
            let resource = match self.resources.get(&rows.resource(self.row)) {
                Some(&known) => known,
                None => {
                    let ordinal = rows.resource(self.row);
                    let new = writer.tables.resource(self.segment.resource(ordinal)?)?;
                    self.resources.insert(ordinal, new);
                    new
                }
            };
            let scope = match self.scopes.get(&rows.scope(self.row)) {
                Some(&known) => known,
                None => {
                    let ordinal = rows.scope(self.row);
                    let new = writer.tables.scope(self.segment.scope(ordinal)?)?;
                    self.scopes.insert(ordinal, new);
                    new
                }
            };
            bytes.clear();
            rows.write(self.row, bytes)?;
            let span = SpanView::parse(bytes).map_err(|e| Error::corrupt("segment row", e.to_string()))?;
            writer.push(&span, resource, scope)?;
            self.row += 1;
            written += 1;
        }
        Ok(written)
    }
}

fn key(rows: &SpanRows<'_>, row: usize) -> Key {
    let trace_id = rows.trace_ids.value(row).first_chunk().map_or(0, |id| u128::from_be_bytes(*id));
    let span_id = rows.span_id(row).first_chunk().map_or(0, |id| u64::from_be_bytes(*id));
    (trace_id, rows.starts.value(row), span_id)
}

/// The attributes that get columns, from those that have one in an input.
fn choose(inputs: &[Arc<Segment>]) -> Vec<crate::segment::Dedicated> {
    let mut counts = Counts::default();
    for segment in inputs {
        counts.spans += segment.extra.spans;
        for (ordinal, attribute) in segment.layout.dedicated.iter().enumerate() {
            counts.add(attribute.value, &attribute.key, segment.values_of(ordinal));
        }
    }
    counts.choose()
}
