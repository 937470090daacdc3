//! What every read starts with: which partition, and how fresh.
//!
//! Knows: `ReadScope`, holders, waiting for a position. Must not know: the questions. Start at [`Scope::enter`].

use std::time::Duration;

use runtime_engine::{Offset, Partition, Position, Snapshot};
use runtime_service::{Kind, Status};
use runtime_store::{HolderState, Store};
use shared_proto::trace_store::v1::{ReadCost, ReadScope, ReadState};
use tonic::metadata::MetadataValue;
use trace_segments::{Cost, Traces};

use crate::config::STORE;
use crate::export::POSITION_HEADER;

/// A read of one partition that may begin.
pub(super) struct Scope {
    pub(super) store: Store<Traces>,
    pub(super) partition: Partition,
}

impl Scope {
    /// Checks that the partition is held here and waits for the position that the read asks for.
    ///
    /// # Errors
    /// FAILED_PRECONDITION for a partition that is not held, and for a position not reached in time, with the position
    /// that was reached in `x-yc-position`.
    pub(super) async fn enter(
        store: Store<Traces>,
        asked: Option<ReadScope>,
        wait_max: Duration,
    ) -> Result<Self, tonic::Status> {
        let asked = asked.unwrap_or_default();
        let partition = Partition(asked.partition);
        let held = store.config().partitions;
        if asked.partition >= held {
            let message = format!("partition {partition} is not held here, only 0 to {} are", held - 1);
            return Err(Status::new(Kind::FailedPrecondition, message).into());
        }
        let wait = match asked.wait_ms_max {
            0 => wait_max,
            ms => Duration::from_millis(u64::from(ms)),
        };
        let at_least = Position { partition, offset: Offset(asked.position_min) };
        let is_there = store.snapshot(partition).position.offset >= at_least.offset;
        if !is_there && tokio::time::timeout(wait, store.reached(at_least)).await.is_err() {
            return Err(not_reached(at_least, store.snapshot(partition).position));
        }
        Ok(Self { store, partition })
    }

    /// What is visible now.
    pub(super) fn snapshot(&self) -> Snapshot<Traces> {
        self.store.snapshot(self.partition)
    }

    /// What an answer over `snapshot` covers.
    pub(super) fn state(&self, snapshot: &Snapshot<Traces>, cost: Cost) -> ReadState {
        let holder = self.store.holders().into_iter().find(|h| h.position.partition == self.partition);
        ReadState {
            partition: self.partition.0,
            position: snapshot.position.offset.0,
            partial: partial(snapshot.quarantined, holder.as_ref()).to_owned(),
            cost: Some(ReadCost { objects: cost.objects, bytes: cost.bytes, spans: cost.spans }),
        }
    }
}

/// Why an answer may lack something; empty when it is whole.
fn partial(quarantined: usize, holder: Option<&HolderState>) -> &'static str {
    match holder {
        Some(holder) if holder.replaying => "replaying",
        Some(holder) if holder.quarantined > 0 => "quarantined",
        None => "silent",
        Some(_) if quarantined > 0 => "quarantined",
        Some(_) => "",
    }
}

fn not_reached(asked: Position, reached: Position) -> tonic::Status {
    let message = format!(
        "partition {} reached offset {}, asked for {}",
        asked.partition, reached.offset, asked.offset
    );
    let mut status = tonic::Status::from(Status::new(Kind::FailedPrecondition, message));
    let last = reached.offset.0.checked_sub(1).map(|last| format!("{STORE}/{}@{last}", reached.partition));
    if let Some(Ok(value)) = last.map(MetadataValue::try_from) {
        status.metadata_mut().insert(POSITION_HEADER, value);
    }
    status
}

#[cfg(test)]
mod tests {
    use runtime_engine::Time;

    use super::*;

    #[test]
    fn an_answer_is_whole_only_when_nothing_is_missing() {
        let check = |quarantined_here: usize, replaying: bool, quarantined: usize, expect: &str| {
            let holder = HolderState {
                position: Position::default(),
                log_end: Offset(0),
                seen: Time(0),
                replaying,
                quarantined,
            };
            assert_eq!(partial(quarantined_here, Some(&holder)), expect);
        };
        check(0, false, 0, "");
        check(0, true, 0, "replaying");
        check(0, false, 1, "quarantined");
        check(1, false, 0, "quarantined");
        check(1, true, 1, "replaying");
        assert_eq!(partial(0, None), "silent");
    }

    #[test]
    fn a_position_that_was_not_reached_says_how_far_it_is() {
        let at = |offset| Position { partition: Partition(2), offset: Offset(offset) };
        let status = not_reached(at(9), at(5));
        assert_eq!(status.code(), tonic::Code::FailedPrecondition);
        assert_eq!(status.message(), "partition 2 reached offset 5, asked for 9");
        assert_eq!(status.metadata().get(POSITION_HEADER).unwrap(), "traces/2@4");
        assert!(not_reached(at(9), at(0)).metadata().get(POSITION_HEADER).is_none());
    }
}
