//! dashboard-gateway: who may see what, and the door through which browsers reach query-api.
//!
//! Knows: users, roles, sessions, API tokens, the web app's files, a reverse proxy. Must not know: stores, spans,
//! series; it reaches data through query-api alone. Start at [`build`]; a request goes `front` (path, prefix, headers)
//! → `access` (who, may they) → `api` or `proxy` or `web`.

mod access;
mod accounts;
mod api;
mod app;
mod audit;
mod config;
mod digest;
mod failure;
mod front;
mod limiter;
mod metrics;
mod proxy;
mod room;
mod sessions;
mod state;
mod users;
mod web;

pub use access::{Access, Role};
pub use api::{RouteInfo, routes};
pub use app::{App, build, build_on, main_from};
pub use config::Config;
