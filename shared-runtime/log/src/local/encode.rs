//! From a record to its stored bytes, on the appender's thread.
//!
//! Knows: compression and the body checksum. Must not know: offsets, which come later. Start at [`Encoded::new`].

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use runtime_engine::{Offset, Partition, Time};

use super::format::{FLAG_LZ4, RECORD_HEADER_BYTES, RecordHeader, TENANT_BYTES_MAX};
use crate::{AppendError, NewRecord, OwnedRecord};

/// One byte of an LZ4 block adds at most 255 bytes of output (LZ4 block format, "Matches").
const LZ4_RATIO_MAX: usize = 255;

/// A record ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) partition: Partition,
    tenant: Arc<str>,
    encoding: u8,
    pub(crate) payload: Bytes,
    stored: Bytes,
    payload_len: u32,
    stored_len: u32,
    tenant_len: u16,
    body_crc: u32,
    flags: u8,
}

impl Encoded {
    /// Checks the limits, compresses and sums.
    pub(crate) fn new(record: NewRecord, payload_bytes_max: usize) -> Result<Self, AppendError> {
        let NewRecord { partition, tenant, encoding, payload } = record;
        let payload_len = limit("payload", payload.len(), payload_bytes_max)?;
        let tenant_len = limit("tenant", tenant.len(), TENANT_BYTES_MAX)?;
        let (stored, flags) = match compress(&payload) {
            Some(block) => (block, FLAG_LZ4),
            None => (payload.clone(), 0),
        };
        let stored_len = limit("stored payload", stored.len(), payload_bytes_max)?;
        let body_crc = crc32c::crc32c_append(crc32c::crc32c(tenant.as_bytes()), &stored);
        Ok(Self {
            partition,
            tenant,
            encoding,
            payload,
            stored,
            payload_len,
            stored_len,
            tenant_len,
            body_crc,
            flags,
        })
    }

    /// Bytes in the file.
    pub(crate) fn frame_len(&self) -> usize {
        RECORD_HEADER_BYTES + self.tenant.len() + self.stored.len()
    }

    /// Memory that it holds while it waits.
    pub(crate) fn queued_bytes(&self) -> usize {
        let compressed = if self.flags & FLAG_LZ4 == 0 { 0 } else { self.stored.len() };
        self.payload.len() + compressed + RECORD_HEADER_BYTES
    }

    /// Appends the record as it stands in the file that begins at `base`.
    pub(crate) fn write(&self, base: Offset, offset: Offset, time: Time, out: &mut Vec<u8>) {
        let header = RecordHeader {
            offset,
            time,
            partition: self.partition,
            payload_len: self.payload_len,
            stored_len: self.stored_len,
            body_crc: self.body_crc,
            tenant_len: self.tenant_len,
            encoding: self.encoding,
            flags: self.flags,
        };
        header.encode(base, out);
        out.extend_from_slice(self.tenant.as_bytes());
        out.extend_from_slice(&self.stored);
    }

    /// What readers get.
    pub(crate) fn into_record(self, offset: Offset, time: Time) -> OwnedRecord {
        OwnedRecord { offset, time, tenant: self.tenant, encoding: self.encoding, payload: self.payload }
    }
}

fn limit<N: TryFrom<usize>>(what: &'static str, bytes: usize, limit_bytes: usize) -> Result<N, AppendError> {
    let too_large = AppendError::TooLarge { what, bytes, limit_bytes };
    if bytes > limit_bytes {
        return Err(too_large);
    }
    N::try_from(bytes).ok().ok_or(too_large)
}

thread_local! {
    /// Tables for payloads below and from 64 KiB on, and room for the block.
    static SCRATCH: RefCell<(CompressTable, CompressTable, Vec<u8>)> =
        RefCell::new((CompressTable::small(), CompressTable::large(), Vec::new()));
}

/// One LZ4 block, or `None` when it would not be smaller.
fn compress(payload: &[u8]) -> Option<Bytes> {
    SCRATCH.with_borrow_mut(|(small, large, room)| {
        let most = get_maximum_output_size(payload.len());
        if room.len() < most {
            room.resize(most, 0);
        }
        let table = if payload.len() < usize::from(u16::MAX) { small } else { large };
        let len = compress_into_with_table(payload, room, table).ok()?;
        room.get(..len).filter(|block| block.len() < payload.len()).map(Bytes::copy_from_slice)
    })
}

/// A stored body checked and unpacked; `None` when it is damaged. `tenants` remembers the last name, which is most
/// often the next one too.
pub(crate) fn decode(
    header: &RecordHeader,
    body: &[u8],
    tenants: &mut Option<Arc<str>>,
) -> Option<OwnedRecord> {
    if crc32c::crc32c(body) != header.body_crc {
        return None;
    }
    let (tenant, stored) = body.split_at_checked(usize::from(header.tenant_len))?;
    let payload_len = usize::try_from(header.payload_len).ok()?;
    let payload: Bytes = if header.flags & FLAG_LZ4 == 0 {
        Bytes::copy_from_slice(stored)
    } else if payload_len / LZ4_RATIO_MAX > stored.len() {
        return None;
    } else {
        lz4_flex::block::decompress(stored, payload_len).ok()?.into()
    };
    (payload.len() == payload_len).then_some(())?;
    let tenant = match tenants.as_ref().filter(|last| last.as_bytes() == tenant) {
        Some(last) => Arc::clone(last),
        None => Arc::clone(tenants.insert(std::str::from_utf8(tenant).ok()?.into())),
    };
    let RecordHeader { offset, time, encoding, .. } = *header;
    Some(OwnedRecord { offset, time, tenant, encoding, payload })
}
