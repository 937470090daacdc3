//! A toy engine: a bag of numbers. It keeps duplicates, so that a record that is applied twice is seen twice.
//!
//! Knows: the seam. Must not know: the runtime. A payload is a sequence of little-endian `u64`; an object has two parts,
//! `numbers` (the same encoding, sorted) and `total` (their count), which must agree.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use runtime_engine::{
    Applied, Edit, Engine, Error, Job, ObjectDraft, ObjectMeta, ObjectSink, Offset, Policy, ReadAt, Record,
    Result, Snapshot, Stop, Time,
};

/// Memory of one number, as the toy counts it.
const NUMBER_BYTES: u64 = 16;

/// The engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Toy;

/// A generation of numbers.
#[derive(Debug)]
pub struct ToyHead {
    numbers: Arc<Vec<u64>>,
    times: Option<(Time, Time)>,
    limit_bytes: u64,
}

/// An opened object.
#[derive(Debug)]
pub struct ToyObject {
    numbers: Vec<u64>,
    times: (Time, Time),
}

/// The payload of a record that holds `numbers`.
#[must_use]
pub fn payload(numbers: &[u64]) -> Bytes {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// Everything that a snapshot shows, sorted, with duplicates.
#[must_use]
pub fn numbers(snap: &Snapshot<Toy>) -> Vec<u64> {
    let stored = snap.objects.iter().flat_map(|o| o.numbers.iter().copied());
    let mut all: Vec<u64> = stored.chain(snap.heads.iter().flat_map(|h| h.iter().copied())).collect();
    all.sort_unstable();
    all
}

fn decode(what: &str, bytes: &[u8]) -> Result<Vec<u64>> {
    let (words, rest) = bytes.as_chunks::<8>();
    if rest.is_empty() {
        return Ok(words.iter().map(|w| u64::from_le_bytes(*w)).collect());
    }
    Err(Error::corrupt(what, format!("{} bytes long, expected a multiple of 8", bytes.len())))
}

fn write(numbers: &mut [u64], level: u8, times: (Time, Time), out: &mut dyn ObjectSink) -> Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    numbers.sort_unstable();
    let rows = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
    let mut body = out.create("numbers")?;
    let mut total = out.create("total")?;
    for chunk in numbers.chunks(64) {
        body.write_all(&payload(chunk))?;
    }
    total.write_all(&rows.to_le_bytes())?;
    let parts = vec![body.finish()?, total.finish()?];
    out.add(ObjectDraft { parts, level, rows, time_min: times.0, time_max: times.1, extra: vec![level] })
}

impl Engine for Toy {
    type Object = ToyObject;
    type Head = ToyHead;
    type View = Arc<Vec<u64>>;

    fn head(&self, _: &[Arc<ToyObject>], _: Option<&ToyHead>, limit_bytes: u64) -> Result<ToyHead> {
        Ok(ToyHead { numbers: Arc::default(), times: None, limit_bytes })
    }

    fn apply(&self, head: &mut ToyHead, at: Offset, record: Record<'_>) -> Result<Applied> {
        let new = decode(&format!("log record {at}"), record.payload)?;
        let bytes = |n: usize| u64::try_from(n).unwrap_or(u64::MAX).saturating_mul(NUMBER_BYTES);
        let head_bytes = bytes(head.numbers.len() + new.len());
        if head_bytes > head.limit_bytes {
            return Ok(Applied::Full);
        }
        Arc::make_mut(&mut head.numbers).extend(new);
        let (min, max) = head.times.unwrap_or((record.time, record.time));
        head.times = Some((min.min(record.time), max.max(record.time)));
        Ok(Applied::Taken { head_bytes })
    }

    fn view(&self, head: &ToyHead) -> Self::View {
        Arc::clone(&head.numbers)
    }

    fn flush(&self, sealed: &ToyHead, out: &mut dyn ObjectSink) -> Result<()> {
        let mut numbers = Vec::clone(&sealed.numbers);
        write(&mut numbers, 0, sealed.times.unwrap_or_default(), out)
    }

    fn open(&self, meta: &ObjectMeta, parts: &[Arc<dyn ReadAt>]) -> Result<ToyObject> {
        let what = format!("object {}", meta.id);
        let mut read = parts.iter().map(|p| {
            let whole = 0..p.len_bytes();
            let bytes = p.read_ranges(&[whole]).map_err(|e| Error::corrupt(what.clone(), e.to_string()))?;
            decode(&what, &bytes.concat())
        });
        let (Some(numbers), Some(total), None) = (read.next(), read.next(), read.next()) else {
            return Err(Error::corrupt(what, format!("{} parts, expected 2", parts.len())));
        };
        let (numbers, total) = (numbers?, total?);
        if total != [u64::try_from(numbers.len()).unwrap_or(u64::MAX)] {
            return Err(Error::corrupt(what, format!("{} numbers, expected {total:?}", numbers.len())));
        }
        Ok(ToyObject { numbers, times: (meta.time_min, meta.time_max) })
    }

    fn plan(&self, live: &[ObjectMeta], _: &[Edit], policy: &Policy, now: Time) -> Option<Job> {
        let expired: Vec<_> = live.iter().filter(|m| m.expires_at <= now).map(|m| m.id).collect();
        if !expired.is_empty() {
            return Some(Job::Expire { inputs: expired });
        }
        let total: u64 = live.iter().map(ObjectMeta::len_bytes).sum();
        if policy.retention_bytes.is_some_and(|max| total > max) {
            let oldest = live.iter().min_by_key(|m| m.time_max)?;
            return Some(Job::Expire { inputs: vec![oldest.id] });
        }
        (0..u8::MAX).find_map(|level| {
            let inputs: Vec<_> =
                live.iter().filter(|m| m.level == level).map(|m| m.id).take(policy.merge_fan_in).collect();
            (inputs.len() >= policy.merge_fan_in).then(|| Job::Merge { inputs, level: level + 1 })
        })
    }

    fn run(&self, job: &Job, inputs: &[Arc<ToyObject>], out: &mut dyn ObjectSink, stop: &Stop) -> Result<()> {
        let Job::Merge { level, .. } = job else {
            return Err(Error::Invalid("the toy runs merges only".to_owned()));
        };
        if stop.is_stopped() {
            return Err(Error::Stopped);
        }
        let mut all: Vec<u64> = inputs.iter().flat_map(|o| o.numbers.iter().copied()).collect();
        let min = inputs.iter().map(|o| o.times.0).min().unwrap_or_default();
        let max = inputs.iter().map(|o| o.times.1).max().unwrap_or_default();
        write(&mut all, *level, (min, max), out)
    }
}
