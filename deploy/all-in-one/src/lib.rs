//! All services in one process, on embedded storage, talking through in-process channels.
//!
//! Knows: which services there are, the order of start and drain. Must not know: what any of them does; there is no
//! logic here. Start at [`build`].

mod app;
mod config;

pub use app::{App, build, main_from};
pub use config::Config;
