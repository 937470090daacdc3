//! Which partition a trace belongs to.
//!
//! Knows: the hash of `docs/wire.md`, "Partitions". Must not know: who holds a partition.

use xxhash_rust::xxh3::xxh3_64;

/// The partition of a trace: xxh3-64 (seed 0) of the 16 bytes of its id, modulo `partitions`.
///
/// Zero partitions count as one, so that the answer is always a valid partition.
#[must_use]
pub fn partition_of(trace_id: &[u8], partitions: u32) -> u32 {
    let rest = xxh3_64(trace_id) % u64::from(partitions.max(1));
    u32::try_from(rest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{partition_of, xxh3_64};

    /// The rows of `docs/wire.md`: id, hash, partition of 4, of 16, of 7.
    const ROWS: [(u128, u64, [u32; 3]); 4] = [
        (0x1111_1111_1111_1111_1111_1111_1111_1111, 0x7eef_42f6_de35_cb88, [0, 8, 6]),
        (0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff, 0x722a_202f_07a4_b313, [3, 3, 0]),
        (0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10, 0xeb5a_eb9a_3245_0f6a, [2, 10, 6]),
        (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x0735_538b_0a4f_043a, [2, 10, 2]),
    ];

    #[test]
    fn the_hash_is_the_one_that_is_written_down() {
        // of the empty text, as in the reference implementation's own tests
        assert_eq!(xxh3_64(b""), 0x2d06_8005_38d3_94c2);
        for (id, hash, partitions) in ROWS {
            let id = id.to_be_bytes();
            assert_eq!(xxh3_64(&id), hash, "{id:02x?}");
            assert_eq!([4, 16, 7].map(|of| partition_of(&id, of)), partitions, "{id:02x?}");
        }
    }

    #[test]
    fn no_partitions_count_as_one() {
        assert_eq!(partition_of(&[1; 16], 0), 0);
    }
}
