//! Checksums of an object's blocks, and the bytes of a `.sum` file (drawn in `docs/objects-format.md`).
//!
//! Knows: one CRC32C per 64 KiB block, over the object's id, the block's number and its bytes, so that a block that
//! stands in another place or comes from another object is noticed. Must not know: files. Start at [`Sums`].

use runtime_engine::ObjectId;

use crate::ObjectsError;
use crate::fields::{Fields, len_u64};
use crate::layout::check_ext;

/// Bytes of a block: what the smallest verified read costs (a few µs), against 4 bytes of checksum.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;
/// [`BLOCK_BYTES`] as files count.
pub(crate) const BLOCK: u64 = BLOCK_BYTES as u64;

const MAGIC: [u8; 8] = *b"YCSUMS\x1a\n";
const FORMAT: u32 = 1;
/// [`BLOCK_BYTES`] as the file carries it.
const BLOCK_FIELD: u32 = 64 << 10;
const EXT_BYTES: usize = 16;

/// What a finished object was: its length, its extension, and a checksum for each block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) id: ObjectId,
    pub(crate) ext: String,
    pub(crate) len_bytes: u64,
    pub(crate) blocks: Vec<u32>,
}

impl Sums {
    pub(crate) fn new(id: ObjectId, ext: &str) -> Self {
        Self { id, ext: ext.to_owned(), len_bytes: 0, blocks: Vec::new() }
    }

    /// Adds the next bytes: whole blocks, except at the end of the object.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK_BYTES) {
            self.blocks.push(block_checksum(self.id, len_of(&self.blocks), block));
        }
        self.len_bytes += len_u64(bytes);
    }

    /// Compares whole blocks (the last may be short) that were read from block `first` on.
    pub(crate) fn verify(&self, first: u64, bytes: &[u8], path: &str) -> Result<(), ObjectsError> {
        for (number, block) in (first..).zip(bytes.chunks(BLOCK_BYTES)) {
            let expected = usize::try_from(number).ok().and_then(|n| self.blocks.get(n)).copied();
            let got = block_checksum(self.id, number, block);
            if expected != Some(got) {
                return Err(ObjectsError::Corrupt {
                    path: path.to_owned(),
                    detail: format!(
                        "block {number} (bytes {} to {}) has checksum {got:08x}, expected {:08x}",
                        number * BLOCK,
                        number * BLOCK + len_u64(block),
                        expected.unwrap_or_default()
                    ),
                });
            }
        }
        Ok(())
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut ext = [0; EXT_BYTES];
        for (to, from) in ext.iter_mut().zip(self.ext.bytes()) {
            *to = from;
        }
        let mut out = Vec::with_capacity(60 + 4 * self.blocks.len());
        out.extend(MAGIC);
        out.extend(FORMAT.to_le_bytes());
        out.extend(BLOCK_FIELD.to_le_bytes());
        out.extend(self.id.0.to_le_bytes());
        out.extend(self.len_bytes.to_le_bytes());
        out.extend(ext);
        for crc in &self.blocks {
            out.extend(crc.to_le_bytes());
        }
        out.extend(crc32c::crc32c(&out).to_le_bytes());
        out
    }

    /// Reads the `.sum` file `path` of object `id`.
    pub(crate) fn decode(bytes: &[u8], id: ObjectId, path: &str) -> Result<Self, ObjectsError> {
        let corrupt = |detail: String| ObjectsError::Corrupt { path: path.to_owned(), detail };
        let Some((body, crc)) = bytes.split_last_chunk().filter(|(body, _)| body.starts_with(&MAGIC)) else {
            return Err(corrupt(format!("{} bytes that do not begin as checksums do", bytes.len())));
        };
        let (got, expected) = (crc32c::crc32c(body), u32::from_le_bytes(*crc));
        if got != expected {
            return Err(corrupt(format!("its own checksum is {got:08x}, expected {expected:08x}")));
        }
        let mut fields = Fields(body);
        let _magic = fields.array::<8>();
        match fields.u32() {
            Some(FORMAT) => {}
            Some(found) => {
                return Err(ObjectsError::Format { path: path.to_owned(), found, supported: FORMAT });
            }
            None => return Err(corrupt("it ends before its format".to_owned())),
        }
        let sums = Self::decode_fields(fields)
            .ok_or_else(|| corrupt(format!("{} bytes that do not agree with each other", bytes.len())))?;
        if sums.id != id {
            return Err(corrupt(format!("it belongs to object {}, expected {id}", sums.id)));
        }
        Ok(sums)
    }

    fn decode_fields(mut fields: Fields<'_>) -> Option<Self> {
        fields.u32().filter(|b| *b == BLOCK_FIELD)?;
        let id = ObjectId(fields.u128()?);
        let len_bytes = fields.u64()?;
        let ext: [u8; EXT_BYTES] = fields.array()?;
        let ext = std::str::from_utf8(&ext).ok()?.trim_end_matches('\0').to_owned();
        check_ext(&ext).ok()?;
        let (blocks, rest) = fields.0.as_chunks();
        let blocks: Vec<u32> = blocks.iter().map(|b| u32::from_le_bytes(*b)).collect();
        (rest.is_empty() && len_of(&blocks) == len_bytes.div_ceil(BLOCK)).then_some(())?;
        Some(Self { id, ext, len_bytes, blocks })
    }
}

fn block_checksum(id: ObjectId, number: u64, block: &[u8]) -> u32 {
    let place = crc32c::crc32c_append(crc32c::crc32c(&id.0.to_le_bytes()), &number.to_le_bytes());
    crc32c::crc32c_append(place, block)
}

fn len_of(blocks: &[u32]) -> u64 {
    u64::try_from(blocks.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums() -> Sums {
        let mut sums = Sums::new(ObjectId(9), "parquet");
        sums.add(&vec![1; 2 * BLOCK_BYTES]);
        sums.add(&[2; 100]);
        sums
    }

    #[test]
    fn checksums_are_read_back_as_written() {
        for sums in [sums(), Sums::new(ObjectId(9), "a"), Sums::new(ObjectId(9), "abcdefghijklmnop")] {
            assert_eq!(Sums::decode(&sums.encode(), ObjectId(9), "x.sum").unwrap(), sums);
        }
    }

    #[test]
    fn each_bit_flip_each_length_and_another_objects_file_are_noticed() {
        let bytes = sums().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Sums::decode(&flipped, ObjectId(9), "x.sum").is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(Sums::decode(&bytes[..len], ObjectId(9), "x.sum").is_err(), "length {len}");
        }
        let other = Sums::decode(&bytes, ObjectId(8), "x.sum").unwrap_err();
        assert!(other.to_string().contains("belongs to object 00000000000000000000000000000009"), "{other}");
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let mut bytes = sums().encode();
        bytes.truncate(bytes.len() - 4);
        bytes[8] = 2;
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        let refused = Sums::decode(&bytes, ObjectId(9), "x.sum");
        assert!(matches!(refused, Err(ObjectsError::Format { found: 2, .. })));
    }

    #[test]
    fn equal_blocks_in_swapped_places_or_of_other_objects_are_noticed() {
        let sums = sums();
        assert!(Sums { id: ObjectId(8), ..sums.clone() }.verify(0, &vec![1; 2 * BLOCK_BYTES], "x").is_err());
        assert!(sums.verify(0, &vec![1; 2 * BLOCK_BYTES], "x").is_ok());
        assert_ne!(sums.blocks[0], sums.blocks[1]);
        assert!(sums.verify(1, &vec![1; 2 * BLOCK_BYTES], "x").is_err());
    }

    proptest::proptest! {
        #[test]
        fn anything_with_a_good_checksum_is_decoded_or_refused(body: Vec<u8>, front in 0..4usize) {
            let good = sums().encode();
            let front = &good[..[8, 12, 16, 56][front]];
            let mut bytes = [front, &body].concat();
            bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
            if let Ok(read) = Sums::decode(&bytes, ObjectId(9), "x.sum") {
                proptest::prop_assert_eq!(read.encode(), bytes);
            }
        }
    }
}
