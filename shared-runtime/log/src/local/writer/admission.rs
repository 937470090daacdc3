//! Whether a request may be written: the log's byte limit and the disk's reserve.
//!
//! Knows: two limits. Must not know: files. Start at [`Admission::admit`].

use super::super::encode::Encoded;
use super::super::view::Refusal;
use super::Outside;
use crate::{AppendError, LogConfig};

/// The room that one group may share out.
pub(crate) struct Admission<'a> {
    config: &'a LogConfig,
    log_bytes: u64,
    /// Free bytes of the disk; `None` when it did not say, and then the write finds out.
    available_bytes: Option<u64>,
    admitted_bytes: u64,
    refusal: Option<Refusal>,
}

impl<'a> Admission<'a> {
    pub(crate) fn new(outside: &'a Outside, log_bytes: u64) -> Self {
        let config = &*outside.config;
        let available_bytes = outside.files.available_bytes(&config.dir).ok();
        Self { config, log_bytes, available_bytes, admitted_bytes: 0, refusal: None }
    }

    /// Takes the request's bytes from the room.
    pub(crate) fn admit(&mut self, request: &[Encoded]) -> Result<(), AppendError> {
        let bytes: usize = request.iter().map(Encoded::frame_len).sum();
        let after = self.admitted_bytes.saturating_add(bytes as u64);
        let limit_bytes = self.config.log_bytes_max;
        if self.log_bytes.saturating_add(after) > limit_bytes {
            self.refusal = Some(Refusal::LogFull);
            return Err(AppendError::LogFull { log_bytes: self.log_bytes, limit_bytes });
        }
        if !self.has_disk_for(after) {
            self.refusal = Some(Refusal::DiskFull);
            return Err(AppendError::DiskFull {
                dir: self.config.dir.clone(),
                available_bytes: self.available_bytes.unwrap_or(0),
                reserve_bytes: self.config.reserve_bytes,
            });
        }
        self.admitted_bytes = after;
        Ok(())
    }

    /// Whether the disk has more than its reserve.
    pub(crate) fn has_disk(&self) -> bool {
        self.has_disk_for(1)
    }

    fn has_disk_for(&self, bytes: u64) -> bool {
        self.available_bytes.is_none_or(|free| free >= self.config.reserve_bytes.saturating_add(bytes))
    }

    pub(crate) fn admitted_bytes(&self) -> u64 {
        self.admitted_bytes
    }

    /// The last reason for which a request was not admitted.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }
}
