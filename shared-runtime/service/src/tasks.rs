//! Named tasks: the only place where a service spawns.
//!
//! Knows: futures and their names. Must not know: what they do. Start at [`Tasks`].

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Shutdown;

/// Tasks of one service. A panic ends its task alone, and is reported. Clones share the tasks.
#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    cancel: CancellationToken,
    shutdown: Shutdown,
    panics: Arc<AtomicU64>,
}

impl Tasks {
    /// No tasks yet; `shutdown` is failed when a vital one ends.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            tracker: TaskTracker::new(),
            cancel: CancellationToken::new(),
            shutdown,
            panics: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Runs `task` until it ends or [`Tasks::cancel`] is called.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (cancel, panics) = (self.cancel.clone(), Arc::clone(&self.panics));
        self.tracker.spawn(async move {
            tokio::select! {
                outcome = AssertUnwindSafe(task).catch_unwind() => report(name, &panics, outcome),
                () = cancel.cancelled() => {}
            }
        });
    }

    /// Like [`Tasks::spawn`], for a task without which the service is of no use: when it ends while nobody asked the
    /// process to stop, the process drains and exits with a failure.
    pub fn spawn_vital<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.spawn(name, async move {
            let outcome = AssertUnwindSafe(task).catch_unwind().await;
            if !shutdown.is_draining() {
                shutdown.fail(&format!("task `{name}` ended"));
            }
            if let Err(panic) = outcome {
                std::panic::resume_unwind(panic);
            }
        });
    }

    /// Tasks that ended by a panic so far.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Drops every task at its next await.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Waits until all tasks have ended; `false` when some still run after `deadline`.
    pub async fn join(&self, deadline: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(deadline, self.tracker.wait()).await.is_ok()
    }
}

fn report(name: &str, panics: &AtomicU64, outcome: Result<(), Box<dyn Any + Send>>) {
    if let Err(panic) = outcome {
        panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!(task = name, panic = panic_text(panic.as_ref()), "task panicked");
    }
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
