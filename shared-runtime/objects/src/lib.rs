//! Immutable objects and partition roots.
//!
//! Knows: how bytes become durable, how each block is checked when it is read, and how a root changes by
//! compare-and-swap. Must not know: which objects are live, when to delete them, what is in them. Start at [`Objects`]
//! and [`Roots`]; the layout on disk is drawn in `docs/objects-format.md`.

mod fields;
mod ids;
mod layout;
mod local;
mod memory;
mod object;
mod read;
mod root;

pub use ids::Ids;
pub use local::{LocalObjects, LocalRoots};
pub use memory::{MemoryObjects, MemoryRoots, ObjectFaults, RootFaults};
pub use object::{ObjectWrite, Objects, ObjectsError, StorePartition, StoredObject};
pub use root::{Root, RootError, Roots, SwapOutcome};
