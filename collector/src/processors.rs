//! Processors: what happens between a receiver and the exporters. One file a type.

mod batch;
mod memory_limiter;

pub(crate) use batch::{BatchConfig, Merger, Rules};
pub(crate) use memory_limiter::MemoryLimiterConfig;
