//! What a process of the stack is made of: configuration, listeners, admin endpoints, telemetry, one status table,
//! in-process channels, named tasks, lifecycle and drain.
//!
//! Knows: ports, signals, configuration files, gRPC and HTTP as transports. Must not know: spans, series, stores, or
//! which services exist. Start at [`run_main`]; a service's `build` receives a [`Context`], its `start` returns a
//! [`Running`].

pub mod admin;
pub mod bind;
mod budget;
mod channel;
pub mod config;
mod context;
pub mod grpc;
mod inproc;
mod lifecycle;
pub mod logs;
mod pool;
pub mod probe;
mod run;
pub mod serve;
mod shutdown;
pub mod status;
mod tasks;

pub use admin::Admin;
pub use bind::Listeners;
pub use budget::{Budget, Taken};
pub use channel::{Channel, ConnectError, connect};
pub use config::{ConfigErrors, Secret};
pub use context::{Context, Listen, ListenError};
pub use inproc::{GrpcService, Inproc};
pub use lifecycle::{Address, Drained, Running, Step};
pub use pool::Pool;
pub use run::{Args, Program, run_main, run_main_from};
pub use shutdown::Shutdown;
pub use status::{Kind, Status};
pub use tasks::Tasks;
