//! Who holds which partition, by what the holders say.
//!
//! Knows: the answers to `Holders`. Must not know: reads. Start at [`Directory::ask`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shared_proto::trace_store::v1::{HoldersRequest, HoldersResponse};

use crate::metrics::{Metrics, Peer};

use super::Store;

/// How old the directory gets.
pub(crate) const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// A store that does not say in this time what it holds counts as silent.
const HOLDERS_TIMEOUT: Duration = Duration::from_secs(1);

/// A holder that takes longer than this to apply what its log held counts as lagging.
const LAG_MAX: Duration = Duration::from_secs(2);

/// What all stores said when they were last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    /// P: partitions are numbered `0..P`.
    partitions: u32,
    /// Holders of each partition, the furthest first.
    holders: BTreeMap<u32, Vec<Holder>>,
    /// Stores that did not answer, by index.
    silent: Vec<bool>,
    /// What each partition holds, by its furthest holder.
    held: BTreeMap<u32, Held>,
}

/// How much is held, and from when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Partitions of the store.
    pub(crate) partitions: u32,
    /// Spans in all of them.
    pub(crate) spans: u64,
    /// Start of the oldest span, Unix nanoseconds; 0 when there is none.
    pub(crate) oldest: u64,
    /// Start of the newest span, Unix nanoseconds; 0 when there is none.
    pub(crate) newest: u64,
    /// Whether any partition is still being replayed.
    pub(crate) replaying: bool,
}

/// One holder of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    /// Index into the configured stores.
    store: usize,
    position: u64,
    /// The log's end that it has still to reach, and when the log was seen there first.
    due: (u64, Instant),
}

impl Directory {
    /// Asks all `stores` at once. When none answers, what was known `before` stays (reads will find out for
    /// themselves); `None` when there is nothing to stay.
    pub(super) async fn ask(stores: &[Store], before: Option<&Self>, metrics: &Metrics) -> Option<Self> {
        let answers = join_all(stores.iter().map(|store| async move {
            let asked = tokio::time::timeout(HOLDERS_TIMEOUT, store.client().holders(HoldersRequest {})).await;
            match asked {
                Ok(Ok(answer)) => Some(answer.into_inner()),
                Ok(Err(error)) => {
                    tracing::debug!(endpoint = store.endpoint, %error, "trace-store does not say what it holds");
                    None
                }
                Err(_elapsed) => None,
            }
        }))
        .await;
        let fresh = Self::of(&answers, before, Instant::now());
        for (at, store) in stores.iter().enumerate() {
            let (was, is) = (before.map(|known| known.is_silent(at)), fresh.is_silent(at));
            if is {
                metrics.store_failures.get_or_create(&Peer { endpoint: store.endpoint.clone() }).inc();
            }
            match (was, is) {
                (Some(false), true) => {
                    tracing::warn!(endpoint = store.endpoint, "trace-store does not answer")
                }
                (Some(true), false) => tracing::info!(endpoint = store.endpoint, "trace-store answers again"),
                _ => {}
            }
        }
        match before {
            Some(known) if fresh.is_deserted() => Some(Self { silent: fresh.silent, ..known.clone() }),
            None if fresh.is_deserted() => None,
            _ => Some(fresh),
        }
    }

    /// Merges answers; a silent store keeps no partition, but P never shrinks: a partition that nobody holds any more
    /// is missed, not forgotten.
    fn of(answers: &[Option<HoldersResponse>], before: Option<&Self>, now: Instant) -> Self {
        let mut directory = Self {
            partitions: before.map_or(0, |known| known.partitions),
            silent: answers.iter().map(Option::is_none).collect(),
            ..Self::default()
        };
        for (store, answer) in answers.iter().enumerate() {
            let Some(answer) = answer else { continue };
            directory.partitions = directory.partitions.max(answer.partitions);
            for held in &answer.held {
                let due = before.and_then(|known| known.due(held.partition, store));
                let due = due.filter(|(end, _)| held.position < *end).unwrap_or((held.log_end, now));
                let holder = Holder { store, position: held.position, due };
                directory.holders.entry(held.partition).or_default().push(holder);
                let best = directory.held.entry(held.partition).or_default();
                if held.spans >= best.spans {
                    *best = Held {
                        partitions: 1,
                        spans: held.spans,
                        oldest: held.oldest_unix_nano,
                        newest: held.newest_unix_nano,
                        replaying: held.replaying,
                    };
                }
            }
        }
        for holders in directory.holders.values_mut() {
            holders.sort_by_key(|h| std::cmp::Reverse(h.position));
        }
        directory
    }

    fn due(&self, partition: u32, store: usize) -> Option<(u64, Instant)> {
        self.holders.get(&partition)?.iter().find(|h| h.store == store).map(|h| h.due)
    }

    fn is_silent(&self, store: usize) -> bool {
        self.silent.get(store).copied().unwrap_or_default()
    }

    /// Whether an answer of `partition` that covers everything below `position` lacks what its log held long ago.
    pub(crate) fn is_lagging(&self, partition: u32, position: u64, now: Instant) -> bool {
        let holders = self.holders.get(&partition).map(Vec::as_slice).unwrap_or_default();
        holders.iter().any(|h| position < h.due.0 && now.saturating_duration_since(h.due.1) > LAG_MAX)
    }

    /// What all partitions hold together.
    pub(crate) fn held(&self) -> Held {
        let mut all = Held { partitions: self.partitions, oldest: u64::MAX, ..Held::default() };
        for held in self.held.values() {
            all.spans += held.spans;
            all.oldest = all.oldest.min(if held.oldest == 0 { u64::MAX } else { held.oldest });
            all.newest = all.newest.max(held.newest);
            all.replaying |= held.replaying;
        }
        Held { oldest: if all.oldest == u64::MAX { 0 } else { all.oldest }, ..all }
    }

    /// Every partition there is.
    pub(crate) fn partitions(&self) -> std::ops::Range<u32> {
        0..self.partitions
    }

    /// Whether no store answered when last asked.
    pub(crate) fn is_deserted(&self) -> bool {
        self.silent.iter().all(|silent| *silent)
    }

    /// Indexes of the stores that hold `partition`, the furthest first.
    pub(crate) fn holders(&self, partition: u32) -> impl Iterator<Item = usize> {
        self.holders.get(&partition).into_iter().flatten().map(|h| h.store)
    }
}

#[cfg(test)]
mod tests {
    use shared_proto::trace_store::v1::Holder as Held;

    use super::*;

    /// `held` lists partition, position, end of the log.
    fn answer(partitions: u32, held: &[(u32, u64, u64)]) -> Option<HoldersResponse> {
        let held = held.iter().map(|(partition, position, log_end)| Held {
            partition: *partition,
            position: *position,
            log_end: *log_end,
            ..Held::default()
        });
        Some(HoldersResponse { partitions, held: held.collect() })
    }

    #[test]
    fn the_furthest_holder_is_asked_first() {
        let answers = [answer(2, &[(0, 5, 9), (1, 9, 9)]), answer(2, &[(0, 7, 9), (1, 8, 9)])];
        let directory = Directory::of(&answers, None, Instant::now());
        assert_eq!(directory.partitions(), 0..2);
        assert_eq!(directory.holders(0).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(directory.holders(1).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_partition_that_nobody_holds_any_more_is_missed() {
        let now = Instant::now();
        let held = [answer(4, &[(0, 1, 1), (1, 1, 1)]), answer(4, &[(2, 1, 1), (3, 1, 1)])];
        let before = Directory::of(&held, None, now);
        let after = Directory::of(&[answer(4, &[(0, 1, 1), (1, 1, 1)]), None], Some(&before), now);
        assert_eq!(after.partitions(), 0..4);
        assert_eq!(after.holders(2).count(), 0);
        assert!(!after.is_deserted());
        assert!(Directory::of(&[None, None], Some(&after), now).is_deserted());
    }

    #[test]
    fn a_holder_that_does_not_reach_its_logs_end_in_time_lags() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let first = Directory::of(&[answer(1, &[(0, 5, 9)])], None, start);
        assert!(!first.is_lagging(0, 5, after(2)));
        assert!(first.is_lagging(0, 8, after(3)));
        assert!(!first.is_lagging(0, 9, after(3)));
        let stuck = Directory::of(&[answer(1, &[(0, 6, 20)])], Some(&first), after(1));
        assert!(stuck.is_lagging(0, 6, after(3)));
        let moving = Directory::of(&[answer(1, &[(0, 9, 20)])], Some(&stuck), after(2));
        assert!(!moving.is_lagging(0, 9, after(4)));
    }
}
