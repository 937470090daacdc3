//! The seam between the store runtime and the engines that own bytes.
//!
//! Knows: what a record, a head, an object and a snapshot are. Must not know: tokio, files, sockets, clocks, or what
//! a span is. Start at [`Engine`]; everything else here is its vocabulary.

mod error;
mod meta;
mod record;
mod snapshot;
mod traits;

pub use error::{Error, Result};
pub use meta::{Edit, Job, ObjectDraft, ObjectId, ObjectMeta, PartMeta, Policy};
pub use record::{Offset, Partition, Position, Record, Time};
pub use snapshot::Snapshot;
pub use traits::{Applied, Engine, ObjectSink, PartWrite, ReadAt, Stop};
