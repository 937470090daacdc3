//! The store runtime: everything that is the same for every signal.
//!
//! Knows: replay, heads, flush, commits by compare-and-swap, fencing, followers, compaction, retention, sweeping,
//! quarantine, snapshots and their numbers. Must not know: what a span or a sample is (the engine), files, networks.
//! Start at [`Store`].

mod budget;
mod claim;
mod commit;
mod compaction;
mod config;
mod env;
mod error;
mod flush;
mod follower;
mod generations;
mod holder;
mod live;
pub mod manifest;
mod media;
mod mutation;
mod pace;
mod publication;
mod replay;
mod sink;
mod stats;
mod store;
mod sweeper;
#[cfg(any(test, feature = "simulation"))]
pub mod toy;

pub use budget::Budget;
pub use compaction::{Merge, Planned};
pub use config::StoreConfig;
pub use error::{AppendError, NotReached, OpenError, StepError};
pub use flush::Flush;
pub use holder::{Holder, Outcome};
pub use media::{LogKeeper, Media};
pub use mutation::Mutation;
pub use replay::Replayed;
pub use sink::Written;
pub use stats::{Counters, HolderState, PartitionStats, StoreStats};
pub use store::{AppendDone, DrainReport, Store};
