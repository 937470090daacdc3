//! The bytes of a `CURRENT` file (drawn in `docs/objects-format.md`).
//!
//! Knows: one root as 76 bytes. Must not know: files.

use runtime_engine::{ObjectId, Offset};

use crate::fields::Fields;
use crate::{Root, RootError, StorePartition};

const MAGIC: [u8; 8] = *b"YCROOT\x1a\n";
const FORMAT: u32 = 1;
const HAS_MANIFEST: u32 = 1;

pub(super) fn encode(root: &Root, of: &StorePartition) -> Vec<u8> {
    let mut out = Vec::with_capacity(76);
    out.extend(MAGIC);
    out.extend(FORMAT.to_le_bytes());
    out.extend(if root.manifest.is_some() { HAS_MANIFEST } else { 0 }.to_le_bytes());
    out.extend(root.version.to_le_bytes());
    out.extend(root.epoch.to_le_bytes());
    out.extend(root.writer.to_le_bytes());
    out.extend(root.offset.0.to_le_bytes());
    out.extend(root.manifest.unwrap_or_default().0.to_le_bytes());
    out.extend(checksum(&out, of).to_le_bytes());
    out
}

pub(super) fn decode(bytes: &[u8], of: &StorePartition, path: &str) -> Result<Root, RootError> {
    let corrupt = |detail: String| RootError::Corrupt { path: path.to_owned(), detail };
    let Some((body, crc)) = bytes.split_last_chunk().filter(|(body, _)| body.starts_with(&MAGIC)) else {
        return Err(corrupt(format!("{} bytes that do not begin as a root does", bytes.len())));
    };
    let (got, expected) = (checksum(body, of), u32::from_le_bytes(*crc));
    if got != expected {
        return Err(corrupt(format!("checksum {got:08x} as the root of {of}, expected {expected:08x}")));
    }
    let mut fields = Fields(body);
    let _magic = fields.array::<8>();
    match fields.u32() {
        Some(FORMAT) => {}
        Some(found) => return Err(RootError::Format { path: path.to_owned(), found, supported: FORMAT }),
        None => return Err(corrupt("it ends before its format".to_owned())),
    }
    decode_fields(fields)
        .ok_or_else(|| corrupt(format!("{} bytes or flags that format 1 has not", bytes.len())))
}

fn decode_fields(mut fields: Fields<'_>) -> Option<Root> {
    let flags = fields.u32().filter(|f| f & !HAS_MANIFEST == 0)?;
    let root = Root {
        version: fields.u64()?,
        epoch: fields.u64()?,
        writer: fields.u128()?,
        offset: Offset(fields.u64()?),
        manifest: Some(ObjectId(fields.u128()?)).filter(|_| flags & HAS_MANIFEST != 0),
    };
    fields.0.is_empty().then_some(root)
}

/// Covers the partition too, so that a file of another partition is not taken for this one's.
fn checksum(body: &[u8], of: &StorePartition) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(body), of.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Root {
        Root { version: 7, epoch: 3, writer: 1 << 100, offset: Offset(99), manifest: Some(ObjectId(5)) }
    }

    #[test]
    fn roots_are_read_back_as_written() {
        let of = StorePartition::new("traces", 3);
        for root in [root(), Root::default(), Root { manifest: Some(ObjectId(0)), ..root() }] {
            assert_eq!(decode(&encode(&root, &of), &of, "CURRENT").unwrap(), root);
        }
    }

    #[test]
    fn each_bit_flip_each_length_and_another_partitions_file_are_noticed() {
        let of = StorePartition::new("traces", 3);
        let bytes = encode(&root(), &of);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped, &of, "CURRENT").is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len], &of, "CURRENT").is_err(), "length {len}");
        }
        assert!(decode(&[bytes.clone(), vec![0]].concat(), &of, "CURRENT").is_err());
        let other = decode(&bytes, &StorePartition::new("traces", 4), "CURRENT").unwrap_err();
        assert!(matches!(other, RootError::Corrupt { .. }), "{other}");
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let of = StorePartition::new("traces", 3);
        let mut bytes = encode(&root(), &of);
        bytes.truncate(72);
        bytes[8] = 2;
        bytes.extend(b"more");
        bytes.extend(checksum(&bytes, &of).to_le_bytes());
        assert!(matches!(decode(&bytes, &of, "CURRENT"), Err(RootError::Format { found: 2, .. })));
    }

    proptest::proptest! {
        #[test]
        fn anything_with_a_good_checksum_is_decoded_or_refused(body: Vec<u8>, fields: [u8; 56], version in 0..3u32) {
            let of = StorePartition::new("traces", 3);
            for tail in [&body[..], &[&[0; 4][..], &fields].concat(), &[&[1, 0, 0, 0][..], &fields].concat()] {
                let mut bytes = [&MAGIC[..], &version.to_le_bytes(), tail].concat();
                bytes.extend(checksum(&bytes, &of).to_le_bytes());
                if let Ok(root) = decode(&bytes, &of, "CURRENT") {
                    proptest::prop_assert_eq!(decode(&encode(&root, &of), &of, "CURRENT").unwrap(), root);
                }
            }
        }
    }
}
