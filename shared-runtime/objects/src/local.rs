//! The local medium: a directory per partition, files that any reader of their format opens, and roots beside them.
//!
//! Knows: which file is made durable before which. Must not know: whether the files are real. Start at
//! [`LocalObjects`] and [`LocalRoots`]; the order of fsyncs and what a crash leaves is told in
//! `docs/objects-format.md`.

mod current;
mod dir;
mod objects;
mod roots;
pub(crate) mod sums;
mod write;

pub use objects::LocalObjects;
pub use roots::LocalRoots;
