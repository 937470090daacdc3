//! The log: what is acknowledged is in it, and what is in it comes back in order.
//!
//! Knows: records, durability, group commit, files of its own directory. Must not know: what a payload means, heads,
//! objects, roots (it is told offsets). Start at [`LogWriter`] and [`LogReader`]; [`LocalLog`] is the embedded medium,
//! its files are drawn in `docs/log-format.md`.

mod config;
mod error;
mod local;
mod record;
mod stats;
mod traits;

pub use config::LogConfig;
pub use error::{AppendError, OpenError, ReadError};
pub use local::LocalLog;
#[cfg(feature = "mutations")]
pub use local::Mutation;
pub use record::{Batch, NewRecord, OwnedRecord};
pub use stats::LogStats;
pub use traits::{AppendDone, LogReader, LogWriter};
