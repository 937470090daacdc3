//! When to stop: the first signal drains, the second exits at once.
//!
//! Knows: two one-way switches and the process' signals. Must not know: what a drain does (see `lifecycle`). Start at
//! [`Shutdown`].

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Two switches that only ever go on: drain, then abort. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<Switches>);

#[derive(Debug, Default)]
struct Switches {
    drain: CancellationToken,
    abort: CancellationToken,
    failure: OnceLock<String>,
}

impl Shutdown {
    /// Begins the drain; `reason` is logged.
    pub fn begin(&self, reason: &str) {
        if !self.0.drain.is_cancelled() {
            tracing::info!(reason, "draining");
        }
        self.0.drain.cancel();
    }

    /// Begins the drain because something vital broke: the process will exit with a failure.
    pub fn fail(&self, reason: &str) {
        tracing::error!(reason, "shutting down after a failure");
        let _first_failure_wins = self.0.failure.set(reason.to_owned());
        self.0.drain.cancel();
    }

    /// Ends the drain too: nothing is waited for any more.
    pub fn abort(&self) {
        self.0.drain.cancel();
        self.0.abort.cancel();
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.drain.is_cancelled()
    }

    /// Why the process stops with a failure, if it does.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.0.failure.get().map(String::as_str)
    }

    /// Ends when the drain begins.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.drain.clone().cancelled_owned()
    }

    /// Ends when nothing is to be waited for any more.
    pub fn aborted(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.abort.clone().cancelled_owned()
    }

    /// Turns SIGTERM and SIGINT (Ctrl-C) into the two switches; never ends.
    ///
    /// # Errors
    /// When the process may not listen to signals.
    pub(crate) fn follow_signals(self) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            loop {
                let name = tokio::select! {
                    _ = term.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                if self.is_draining() {
                    tracing::warn!(signal = name, "second signal, exiting at once");
                    self.abort();
                } else {
                    self.begin(name);
                }
            }
        })
    }
}
