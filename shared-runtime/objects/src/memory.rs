//! Media in memory, shared by clones: for simulations of several replicas, with faults drawn from a seed.
//!
//! Knows: how a remote medium misbehaves (lost answers, swaps that arrive late or never). Must not know: files. Start
//! at [`MemoryObjects`] and [`MemoryRoots`].

mod objects;
mod roots;

pub use objects::{MemoryObjects, ObjectFaults};
pub use roots::{MemoryRoots, RootFaults};
