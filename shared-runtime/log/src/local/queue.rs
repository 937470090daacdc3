//! Requests that wait for the commit thread.
//!
//! Knows: a byte bound, order, the end. Must not know: files. Start at [`Queue`].

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::encode::Encoded;
use crate::{AppendDone, AppendError};

/// One append.
pub(crate) struct Request {
    pub(crate) records: Vec<Encoded>,
    pub(crate) done: AppendDone,
}

impl Request {
    fn bytes(&self) -> usize {
        self.records.iter().map(Encoded::queued_bytes).sum()
    }
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    bytes: usize,
    closed: bool,
}

/// What the commit thread has to do next.
pub(crate) enum Next {
    /// Commit these.
    Group(Vec<Request>),
    /// Nothing came in time.
    Idle,
    /// Nothing will come.
    Closed,
}

/// First in, first out.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses early, before anything is compressed.
    pub(crate) fn check(&self, bytes_max: usize) -> Result<(), AppendError> {
        let waiting = self.lock();
        if waiting.closed {
            return Err(AppendError::Closed);
        }
        if waiting.bytes >= bytes_max {
            return Err(AppendError::Busy { queued_bytes: waiting.bytes, limit_bytes: bytes_max });
        }
        Ok(())
    }

    /// Queues a request; gives it back when it is refused. One request always fits into an empty queue.
    pub(crate) fn push(&self, request: Request, bytes_max: usize) -> Result<(), (Request, AppendError)> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err((request, AppendError::Closed));
        }
        let bytes = request.bytes();
        if waiting.bytes > 0 && waiting.bytes.saturating_add(bytes) > bytes_max {
            let busy = AppendError::Busy { queued_bytes: waiting.bytes, limit_bytes: bytes_max };
            return Err((request, busy));
        }
        waiting.bytes += bytes;
        waiting.requests.push_back(request);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Everything that waits, up to `group_bytes_max`; blocks while there is nothing, until `timeout` if any.
    pub(crate) fn next(&self, group_bytes_max: usize, timeout: Option<Duration>) -> Next {
        let mut waiting = self.lock();
        while waiting.requests.is_empty() {
            if waiting.closed {
                return Next::Closed;
            }
            if let Some(timeout) = timeout {
                let (guard, over) =
                    self.changed.wait_timeout(waiting, timeout).unwrap_or_else(PoisonError::into_inner);
                waiting = guard;
                if over.timed_out() && waiting.requests.is_empty() && !waiting.closed {
                    return Next::Idle;
                }
            } else {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let (mut group, mut bytes) = (Vec::new(), 0);
        while let Some(request) =
            waiting.requests.pop_front_if(|r| bytes == 0 || bytes + r.bytes() <= group_bytes_max)
        {
            bytes += request.bytes();
            group.push(request);
        }
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        Next::Group(group)
    }

    /// Takes no more; what waits is still handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}
