//! Compaction and retention: what to merge or remove, and merging (`merge`).
//!
//! Knows: levels, ages and sizes of segments. Must not know: when it is run, or how the result is committed. The plan is
//! described in `docs/compaction.md`.

mod merge;

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub(crate) use merge::run;
use runtime_engine::{Job, ObjectMeta, Policy, Time};

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
