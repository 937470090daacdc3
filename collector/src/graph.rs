//! Receivers → processors → exporters, wired as the configuration says.
//!
//! Knows: which component stands before which, the order of building, starting and stopping. Must not know: what any of
//! them does. [`plan`] checks, [`build`] makes components without starting them; `validate` needs no more.

mod build;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use build::{Graph, build};
pub(crate) use plan::plan;
