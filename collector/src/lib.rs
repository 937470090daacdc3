//! The collector: OTLP in, pipelines, OTLP out; it holds no state that another collector would miss.
//!
//! Knows: OTLP, pipelines, the OpenTelemetry Collector's configuration format. Must not know: how anything is stored.
//! Start at [`build`]; a request goes `receivers/otlp` → `processors` → `exporters` as `graph` wired them, and its
//! outcome comes back the same way. To add a component, write one file and add a row to `components`.

mod admission;
mod app;
mod calendar;
mod cli;
mod component;
mod components;
mod config;
mod endpoint;
mod exporters;
mod extensions;
mod graph;
mod metrics;
mod pipeline;
mod process;
mod processors;
mod receivers;
#[cfg(test)]
mod testing;

pub use app::{App, build, build_with, dry_run};
pub use cli::main_from;
pub use config::{Config, ConfigError, DEFAULT, Place, Sources};
