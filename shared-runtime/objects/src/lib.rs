//! Immutable objects and partition roots.
//!
//! Knows: how bytes become durable, how each block is checked when it is read, and how a root changes by
//! compare-and-swap; with the feature `documents`, how small documents do (`Documents`). Must not know: which objects
//! are live, when to delete them, what is in them. Start at [`Objects`] and [`Roots`]; the layout on disk is drawn in
//! `docs/objects-format.md`.

#[cfg(feature = "documents")]
mod documents;
mod fields;
mod ids;
mod layout;
mod local;
mod memory;
mod object;
mod read;
mod root;

#[cfg(feature = "documents")]
pub use documents::{
    BODY_BYTES_MAX, Document, Documents, DocumentsError, KEY_BYTES_MAX, MemoryDocuments, Put, SqliteDocuments,
};
pub use ids::Ids;
pub use local::{LocalObjects, LocalRoots};
pub use memory::{MemoryObjects, MemoryRoots, ObjectFaults, RootFaults};
pub use object::{ObjectWrite, Objects, ObjectsError, StorePartition, StoredObject};
pub use root::{Root, RootError, Roots, SwapOutcome};
