//! Reading a request's body: bounded, admitted before it is held, and with progress.
//!
//! Knows: frames, leases, the clock of a slow client. Must not know: what the bytes are. Start at [`Reader`].

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use runtime_service::{Kind, Status};
use tokio::time::Instant;

use crate::admission::Lease;

/// Bodies of unknown length are admitted in steps of this.
const STEP_BYTES: usize = 64 << 10;
/// A client must send [`PROGRESS_BYTES`] within this, or finish (slow-loris).
const PROGRESS_TIME: Duration = Duration::from_secs(30);
const PROGRESS_BYTES: usize = 16 << 10;

/// Reads one body.
pub(super) struct Reader<'a> {
    body: Body,
    lease: &'a mut Lease,
    limit: usize,
    /// Bytes that arrived and were not taken yet.
    buffer: BytesMut,
    /// The only frame so far, kept without a copy.
    first: Option<Bytes>,
    total: usize,
    mark: usize,
    deadline: Instant,
}

/// Why reading ended early.
#[derive(Debug)]
pub(super) enum Failed {
    /// Answer with this.
    Refused(Status),
    /// The client sends too slowly: 408.
    TooSlow,
    /// The connection broke; nobody reads an answer.
    Broken(String),
}

impl From<Status> for Failed {
    fn from(status: Status) -> Self {
        Failed::Refused(status)
    }
}

impl<'a> Reader<'a> {
    /// A reader of at most `limit` bytes.
    pub(super) fn new(body: Body, limit: usize, lease: &'a mut Lease) -> Self {
        Reader {
            body,
            lease,
            limit,
            buffer: BytesMut::new(),
            first: None,
            total: 0,
            mark: 0,
            deadline: Instant::now() + PROGRESS_TIME,
        }
    }

    /// Admits `bytes` that the client announced.
    pub(super) fn announce(&mut self, bytes: usize) -> Result<(), Failed> {
        if bytes > self.limit {
            return Err(self.too_large());
        }
        if bytes > self.lease.bytes() {
            let more = bytes - self.lease.bytes();
            self.lease.grow(more)?;
        }
        Ok(())
    }

    /// Everything up to the end of the body.
    pub(super) async fn all(mut self) -> Result<Bytes, Failed> {
        while self.frame().await? {}
        Ok(self.first.take().unwrap_or_else(|| self.buffer.freeze()))
    }

    /// Exactly the next `bytes`, `None` when the body ends before.
    pub(super) async fn exactly(&mut self, bytes: usize) -> Result<Option<Bytes>, Failed> {
        loop {
            if let Some(first) = &mut self.first
                && first.len() >= bytes
            {
                return Ok(Some(first.split_to(bytes)));
            }
            if self.first.is_none() && self.buffer.len() >= bytes {
                return Ok(Some(self.buffer.split_to(bytes).freeze()));
            }
            if !self.frame().await? {
                return Ok(None);
            }
        }
    }

    /// Whether nothing more comes.
    pub(super) async fn at_end(&mut self) -> Result<bool, Failed> {
        while self.first.as_ref().is_none_or(Bytes::is_empty) && self.buffer.is_empty() {
            if !self.frame().await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads one frame; `false` at the end.
    async fn frame(&mut self) -> Result<bool, Failed> {
        let next = tokio::time::timeout_at(self.deadline, self.body.frame()).await;
        let frame = match next {
            Err(_elapsed) => return Err(Failed::TooSlow),
            Ok(None) => return Ok(false),
            Ok(Some(Err(error))) => return Err(Failed::Broken(error.to_string())),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { return Ok(true) };
        self.total += data.len();
        if self.total > self.limit {
            return Err(self.too_large());
        }
        if self.total > self.lease.bytes() {
            let short = self.total - self.lease.bytes();
            self.lease.grow(short.div_ceil(STEP_BYTES).saturating_mul(STEP_BYTES))?;
        }
        if self.total - self.mark >= PROGRESS_BYTES {
            self.mark = self.total;
            self.deadline = Instant::now() + PROGRESS_TIME;
        }
        self.keep(data);
        Ok(true)
    }

    fn keep(&mut self, data: Bytes) {
        let nothing_yet = self.buffer.is_empty() && self.first.as_ref().is_none_or(Bytes::is_empty);
        if nothing_yet {
            self.first = Some(data);
            return;
        }
        if let Some(first) = self.first.take() {
            self.buffer.reserve(self.lease.bytes().min(self.limit).max(first.len() + data.len()));
            self.buffer.extend_from_slice(&first);
        }
        self.buffer.extend_from_slice(&data);
    }

    fn too_large(&self) -> Failed {
        let limit = self.limit;
        Failed::Refused(Status::new(Kind::TooLarge, format!("body is larger than {limit} bytes")))
    }
}
