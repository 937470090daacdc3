//! A bounded blocking pool for engine work.
//!
//! Knows: closures and permits. Must not know: what they compute. Start at [`Pool::run`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::tasks::panic_text;
use crate::{Kind, Status};

/// At most `workers` closures run at once, at most `waiting_max` wait; beyond that callers are refused. Clones share
/// the bounds.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: &'static str,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// A pool called `name` in messages.
    #[must_use]
    pub fn new(name: &'static str, workers: usize, waiting_max: usize) -> Self {
        let permits = Arc::new(Semaphore::new(workers.max(1)));
        Self(Arc::new(Shared { name, permits, waiting: AtomicUsize::new(0), waiting_max }))
    }

    /// Callers that wait for a worker now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Runs `work` on a blocking thread.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] with a retry hint when too many callers wait; [`Kind::Internal`] when `work` panicked.
    pub fn run<T, F>(&self, work: F) -> BoxFuture<'static, Result<T, Status>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let permit = if let Ok(permit) = Arc::clone(&shared.permits).try_acquire_owned() {
                permit
            } else {
                if shared.waiting.fetch_add(1, Ordering::Relaxed) >= shared.waiting_max {
                    shared.waiting.fetch_sub(1, Ordering::Relaxed);
                    let message = format!("{} requests already wait for {}", shared.waiting_max, shared.name);
                    return Err(Status::retryable(Kind::Unavailable, message));
                }
                let waiting = Waiting(&shared.waiting);
                let permit = Arc::clone(&shared.permits).acquire_owned().await;
                drop(waiting);
                permit.map_err(|_closed| Status::new(Kind::Unavailable, "shutting down"))?
            };
            let done = tokio::task::spawn_blocking(move || {
                let out = work();
                drop(permit);
                out
            });
            done.await.map_err(|e| match e.try_into_panic() {
                Ok(panic) => {
                    tracing::error!(
                        pool = shared.name,
                        panic = panic_text(panic.as_ref()),
                        "engine work panicked"
                    );
                    Status::new(Kind::Internal, "internal error, see the log of the service")
                }
                Err(_cancelled) => Status::new(Kind::Unavailable, "shutting down"),
            })
        })
    }
}
