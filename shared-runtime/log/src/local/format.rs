//! Bytes of a log file, as `docs/log-format.md` draws them.
//!
//! Knows: layouts and checksums. Must not know: files, threads. Start at [`RecordHeader`].

use runtime_engine::{Offset, Partition, Time};

/// First bytes of every log file.
pub(crate) const FILE_MAGIC: [u8; 8] = *b"yc-log\r\n";
/// The format that this program writes and reads.
pub(crate) const VERSION: u32 = 1;
/// Length of [`FileHeader`], in every version.
pub(crate) const FILE_HEADER_BYTES: usize = 40;
/// First bytes of every record: what a reader looks for after damage.
pub(crate) const RECORD_MAGIC: [u8; 4] = [0xd7, b'y', b'c', b'r'];
/// Length of [`RecordHeader`].
pub(crate) const RECORD_HEADER_BYTES: usize = 44;
/// Flag: the stored bytes are one LZ4 block.
pub(crate) const FLAG_LZ4: u8 = 1;
/// Flag: not a record but the seal that ends a finished file.
pub(crate) const FLAG_SEAL: u8 = 2;
/// Last bytes of a sealed file, after the length of the seal.
pub(crate) const SEAL_MAGIC: [u8; 4] = *b"yc.\n";
/// Longest tenant name.
pub(crate) const TENANT_BYTES_MAX: usize = 255;
/// Ending of the names of log files.
const SUFFIX: &str = ".log";

/// Reads little-endian fields one after another; past the end they are zero, which no caller lets happen.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((head, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *head
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.take())
    }
}

/// Name of the file whose first record has offset `base`.
pub(crate) fn file_name(base: Offset) -> String {
    format!("{:020}{SUFFIX}", base.0)
}

/// The first offset of a file, from its name; `None` when it is no log file.
pub(crate) fn base_of(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(SUFFIX)?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    digits.parse().ok().map(Offset)
}

/// The start of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHeader {
    /// Format version.
    pub(crate) version: u32,
    /// Offset of the first record; also the name of the file.
    pub(crate) base: Offset,
    /// Every acknowledged offset below `base` is below this. What lies between was refused or skipped.
    pub(crate) previous_end: Offset,
    /// When the file was made.
    pub(crate) created: Time,
}

impl FileHeader {
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut out = [0; FILE_HEADER_BYTES];
        let (magic, rest) = out.split_at_mut(8);
        magic.copy_from_slice(&FILE_MAGIC);
        let (version, rest) = rest.split_at_mut(4);
        version.copy_from_slice(&self.version.to_le_bytes());
        let (crc, rest) = rest.split_at_mut(4);
        for (to, from) in rest.chunks_exact_mut(8).zip([self.base.0, self.previous_end.0, self.created.0]) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        let sum = crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(magic), version), rest);
        crc.copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// The header, or `None` when these are not the first bytes of a log file.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..FILE_HEADER_BYTES)?;
        let mut fields = Fields(bytes);
        let magic: [u8; 8] = fields.take();
        let (version, crc) = (fields.u32(), fields.u32());
        let sum = crc32c::crc32c_append(crc32c::crc32c(bytes.get(..12)?), bytes.get(16..)?);
        let header = Self {
            version,
            base: Offset(fields.u64()),
            previous_end: Offset(fields.u64()),
            created: Time(fields.u64()),
        };
        (magic == FILE_MAGIC && crc == sum).then_some(header)
    }
}

/// The start of a record. The tenant and the stored payload follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) offset: Offset,
    pub(crate) time: Time,
    pub(crate) partition: Partition,
    /// Length of the payload as it was given.
    pub(crate) payload_len: u32,
    /// Length of the payload as it is stored.
    pub(crate) stored_len: u32,
    /// CRC32C over tenant and stored payload.
    pub(crate) body_crc: u32,
    pub(crate) tenant_len: u16,
    pub(crate) encoding: u8,
    pub(crate) flags: u8,
}

impl RecordHeader {
    /// Appends the header as it stands in the file that begins at `base`.
    pub(crate) fn encode(&self, base: Offset, out: &mut Vec<u8>) {
        let mut fields = [0u8; RECORD_HEADER_BYTES - 8];
        let mut rest = fields.as_mut_slice();
        let mut put = |bytes: &[u8]| {
            let (to, after) = std::mem::take(&mut rest).split_at_mut(bytes.len());
            to.copy_from_slice(bytes);
            rest = after;
        };
        put(&self.offset.0.to_le_bytes());
        put(&self.time.0.to_le_bytes());
        put(&self.partition.0.to_le_bytes());
        put(&self.payload_len.to_le_bytes());
        put(&self.stored_len.to_le_bytes());
        put(&self.body_crc.to_le_bytes());
        put(&self.tenant_len.to_le_bytes());
        put(&[self.encoding, self.flags]);
        out.extend_from_slice(&RECORD_MAGIC);
        out.extend_from_slice(&header_crc(base, &fields).to_le_bytes());
        out.extend_from_slice(&fields);
    }

    /// The header at the start of `bytes`, or `None` when none of the file that begins at `base` stands there.
    pub(crate) fn decode(base: Offset, bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..RECORD_HEADER_BYTES)?;
        let mut fields = Fields(bytes);
        if fields.take() != RECORD_MAGIC || fields.u32() != header_crc(base, bytes.get(8..)?) {
            return None;
        }
        Some(Self {
            offset: Offset(fields.u64()),
            time: Time(fields.u64()),
            partition: Partition(fields.u32()),
            payload_len: fields.u32(),
            stored_len: fields.u32(),
            body_crc: fields.u32(),
            tenant_len: fields.u16(),
            encoding: fields.u8(),
            flags: fields.u8(),
        })
    }

    /// Bytes after the header.
    pub(crate) fn body_len(&self) -> usize {
        usize::from(self.tenant_len).saturating_add(usize::try_from(self.stored_len).unwrap_or(usize::MAX))
    }

    /// Bytes of the whole record.
    pub(crate) fn frame_len(&self) -> usize {
        self.body_len().saturating_add(RECORD_HEADER_BYTES)
    }
}

/// The CRC begins with the file's first offset, so that a record copied from another file is not taken for one.
fn header_crc(base: Offset, fields: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&base.0.to_le_bytes()), fields)
}

/// Which records of a partition a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartitionSpan {
    pub(crate) partition: Partition,
    pub(crate) records: u32,
    pub(crate) first: Offset,
    pub(crate) last: Offset,
}

/// Bytes of one span in a seal.
const SPAN_BYTES: usize = 24;

/// Stored payload of a seal: the spans, then the length of the whole seal and [`SEAL_MAGIC`].
pub(crate) fn encode_seal(spans: &[PartitionSpan]) -> Vec<u8> {
    let len = spans.len() * SPAN_BYTES + 8;
    let mut out = Vec::with_capacity(len);
    for span in spans {
        out.extend_from_slice(&span.partition.0.to_le_bytes());
        out.extend_from_slice(&span.records.to_le_bytes());
        out.extend_from_slice(&span.first.0.to_le_bytes());
        out.extend_from_slice(&span.last.0.to_le_bytes());
    }
    let frame_len = u32::try_from(len + RECORD_HEADER_BYTES).unwrap_or(u32::MAX);
    out.extend_from_slice(&frame_len.to_le_bytes());
    out.extend_from_slice(&SEAL_MAGIC);
    out
}

/// The spans of a seal's stored payload.
pub(crate) fn decode_seal(stored: &[u8]) -> Option<Vec<PartitionSpan>> {
    let spans = stored.get(..stored.len().checked_sub(8)?)?;
    let spans = spans.chunks_exact(SPAN_BYTES).map(|bytes| {
        let mut fields = Fields(bytes);
        PartitionSpan {
            partition: Partition(fields.u32()),
            records: fields.u32(),
            first: Offset(fields.u64()),
            last: Offset(fields.u64()),
        }
    });
    Some(spans.collect())
}

/// Length of the seal that ends a file, from the file's last eight bytes.
pub(crate) fn seal_len(last: [u8; 8]) -> Option<usize> {
    let mut fields = Fields(&last);
    let len = fields.u32();
    (fields.take() == SEAL_MAGIC).then_some(())?;
    usize::try_from(len).ok().filter(|len| *len >= RECORD_HEADER_BYTES + 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_header_comes_back_and_every_flipped_bit_is_noticed() {
        let header =
            FileHeader { version: 1, base: Offset(7), previous_end: Offset(5), created: Time(1 << 60) };
        let bytes = header.encode();
        assert_eq!(FileHeader::decode(&bytes), Some(header));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&bad), None, "bit {bit}");
        }
    }

    #[test]
    fn a_record_header_comes_back_only_in_its_file_and_unharmed() {
        let header = RecordHeader {
            offset: Offset(9),
            time: Time(1),
            partition: Partition(3),
            payload_len: 10,
            stored_len: 8,
            body_crc: 77,
            tenant_len: 7,
            encoding: 1,
            flags: FLAG_LZ4,
        };
        let mut bytes = Vec::new();
        header.encode(Offset(4), &mut bytes);
        assert_eq!(bytes.len(), RECORD_HEADER_BYTES);
        assert_eq!(RecordHeader::decode(Offset(4), &bytes), Some(header));
        assert_eq!(RecordHeader::decode(Offset(5), &bytes), None);
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RecordHeader::decode(Offset(4), &bad), None, "bit {bit}");
        }
    }

    #[test]
    fn names_of_log_files_are_recognised() {
        assert_eq!(base_of(&file_name(Offset(42))), Some(Offset(42)));
        assert_eq!(base_of(&file_name(Offset(u64::MAX))), Some(Offset(u64::MAX)));
        for other in [
            "LOCK",
            "42.log",
            "0000000000000000004x.log",
            "00000000000000000042.tmp",
            "+0000000000000000042.log",
        ] {
            assert_eq!(base_of(other), None, "{other}");
        }
    }
}
