//! query-api: the public read APIs of the stack, over any number of stores.
//!
//! Knows: Jaeger's HTTP API and the web app's own, how to ask partitions and merge their answers. Must not know: files, logs, how a store
//! keeps anything. Start at [`build`]; a request goes `jaeger` (parameters) → `backend` (partitions) → `trace`
//! (repair, adjust, write).

mod app;
mod backend;
mod config;
mod go;
mod jaeger;
mod metrics;
mod overview;
mod trace;
mod trace_id;
mod web;
mod yc;

pub use app::{App, build, main_from};
pub use config::Config;
