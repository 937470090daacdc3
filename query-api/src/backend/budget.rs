//! Bytes that answers under way hold, bounded for the whole process and for each answer.
//!
//! Knows: numbers. Must not know: what the bytes are. Start at [`Total`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use runtime_service::{Kind, Status};

/// The bound of the process; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Total {
    used: Arc<AtomicUsize>,
    max: usize,
}

/// Bytes taken from the total; given back when dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    from: Total,
    bytes: usize,
}

impl Total {
    pub(crate) fn new(max: usize) -> Self {
        Self { used: Arc::default(), max }
    }

    /// Takes nothing yet.
    pub(crate) fn start(&self) -> Taken {
        Taken { from: self.clone(), bytes: 0 }
    }
}

impl Taken {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// When the process holds too much already.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Status> {
        let before = self.from.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before.saturating_add(bytes) > self.from.max {
            let message =
                format!("answers under way hold {before} bytes already, the limit is {}", self.from.max);
            return Err(Status::retryable(Kind::Exhausted, message));
        }
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.from.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let total = Total::new(10);
        let mut first = total.start();
        first.take(8).unwrap();
        let refused = total.start().take(3).unwrap_err();
        assert_eq!(refused.message, "answers under way hold 8 bytes already, the limit is 10");
        drop(first);
        total.start().take(10).unwrap();
    }
}
