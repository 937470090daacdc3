//! What handlers need, in one place.
//!
//! Knows: the rooms. Must not know: what they do. Start at [`Room`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use runtime_files::Clock;

use crate::access::{Access, Cookies};
use crate::accounts::Accounts;
use crate::config::{Mode, Server};
use crate::limiter::Limiter;
use crate::metrics::Metrics;
use crate::proxy::Proxy;
use crate::sessions::Sessions;
use crate::users::Users;

/// Everything that a request may touch.
pub(crate) struct Room {
    pub(crate) users: Users,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Accounts,
    pub(crate) limiter: Limiter,
    pub(crate) proxy: Proxy,
    pub(crate) cookies: Cookies,
    pub(crate) server: Server,
    pub(crate) mode: Mode,
    pub(crate) anonymous_viewer: bool,
    /// How long the cookie of a session is kept.
    pub(crate) session_age_max: Duration,
    /// Login of the first administrator.
    pub(crate) administrator: String,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) classes: HashMap<(Method, &'static str), Access>,
}

impl Room {
    /// Who may use the route that was matched; `None` when nobody said.
    pub(crate) fn access(&self, method: &Method, pattern: &str) -> Option<Access> {
        self.classes.get(&(method.clone(), pattern)).copied()
    }
}
