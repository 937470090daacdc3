//! trace-store: takes OTLP traces, keeps them, answers reads per partition.
//!
//! Knows: spans as OTLP bytes, the `trace_store.v1` protocol, the runtime's store and the traces engine. Must not
//! know: HTTP APIs, merging across partitions, UI. Start at [`build`]; a write goes `export` → the store, a read
//! `reads` → engine queries on a bounded pool.

mod app;
mod config;
mod export;
mod metrics;
mod reads;
mod storage;

pub use app::{App, build, build_on, main_from};
pub use config::{CompactionKeys, Config, HeadKeys, LogKeys, ReadKeys, WriteKeys};
pub use storage::OpenError;
