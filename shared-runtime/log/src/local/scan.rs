//! Finding the records in the bytes of a file, also when some of them are damaged.
//!
//! Knows: that offsets in a file follow one another without a gap, so that a gap is damage, and that after damage the
//! next header whose checksum and offset fit is where the records go on. Must not know: files, partitions' readers.
//! Start at [`scan`].

use std::ops::Range;

use runtime_engine::{Offset, Partition};

use super::format::{FILE_HEADER_BYTES, FLAG_SEAL, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader};

/// A record found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: Offset,
    pub(crate) partition: Partition,
    /// Where its header starts.
    pub(crate) at: usize,
}

/// What the bytes of a file hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scan {
    /// Records with a good header, ascending; with a good body too when bodies were checked.
    pub(crate) records: Vec<Found>,
    /// Offsets before the last good record that have none.
    pub(crate) damaged: Vec<Range<Offset>>,
    /// Right after the last good record.
    pub(crate) end: Offset,
    /// Where the last good record ends; what follows is a torn tail, or damage.
    pub(crate) end_at: usize,
    /// Whether a seal follows the last record.
    pub(crate) sealed: bool,
    /// Bytes between good records that belong to none.
    skipped_bytes: usize,
}

/// Walks over the bytes of the file that begins at `base`. `check_bodies` also sums the bodies, which a reader leaves
/// to the record's owner.
pub(crate) fn scan(bytes: &[u8], base: Offset, check_bodies: bool) -> Scan {
    let mut scan = Scan { end: base, end_at: FILE_HEADER_BYTES.min(bytes.len()), ..Scan::default() };
    let mut at = scan.end_at;
    while at < bytes.len() && !scan.sealed {
        match good_header(bytes, at, base, &scan) {
            Some(header) => at = scan.take(bytes, at, &header, check_bodies),
            None => match next_magic(bytes, at + 1) {
                Some(next) => at = next,
                None => break,
            },
        }
    }
    scan
}

impl Scan {
    /// Notes the record at `at`; answers where the next one should be.
    fn take(&mut self, bytes: &[u8], at: usize, header: &RecordHeader, check_body: bool) -> usize {
        let next = at + header.frame_len();
        if check_body {
            let body = bytes.get(at + RECORD_HEADER_BYTES..next).unwrap_or_default();
            if crc32c::crc32c(body) != header.body_crc {
                return next;
            }
        }
        if header.offset > self.end {
            self.damaged.push(self.end..header.offset);
        }
        self.skipped_bytes += at - self.end_at;
        self.end_at = next;
        if header.flags & FLAG_SEAL != 0 {
            self.end = header.offset;
            self.sealed = true;
        } else {
            self.end = header.offset.next();
            self.records.push(Found { offset: header.offset, partition: header.partition, at });
        }
        next
    }
}

/// A header that fits in here: whole, summed, and with no more offsets missing than the damaged bytes of the file
/// could hold.
fn good_header(bytes: &[u8], at: usize, base: Offset, scan: &Scan) -> Option<RecordHeader> {
    let header = RecordHeader::decode(base, bytes.get(at..)?)?;
    let fits = header.frame_len() <= bytes.len() - at;
    let damaged_bytes = scan.skipped_bytes + (at - scan.end_at);
    let room = u64::try_from(damaged_bytes / RECORD_HEADER_BYTES).unwrap_or(u64::MAX);
    let missing_before: u64 = scan.damaged.iter().map(|gap| gap.end.0 - gap.start.0).sum();
    let missing = header.offset.0.checked_sub(scan.end.0)? + missing_before;
    (fits && missing <= room).then_some(header)
}

/// Where the next record may begin.
fn next_magic(bytes: &[u8], from: usize) -> Option<usize> {
    let [first, ..] = RECORD_MAGIC;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|b| *b == first)?;
        if bytes.get(at..)?.starts_with(&RECORD_MAGIC) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::encode::Encoded;
    use crate::local::format::FileHeader;
    use runtime_engine::Time;

    fn file(base: u64, payloads: &[&[u8]]) -> Vec<u8> {
        let header =
            FileHeader { version: 1, base: Offset(base), previous_end: Offset(base), created: Time(0) };
        let mut bytes = header.encode().to_vec();
        for (offset, payload) in (base..).zip(payloads) {
            let record = crate::NewRecord {
                partition: Partition(1),
                tenant: "default".into(),
                encoding: 1,
                payload: payload.to_vec().into(),
            };
            let encoded = Encoded::new(record, 1 << 20).unwrap();
            encoded.write(Offset(base), Offset(offset), Time(0), &mut bytes);
        }
        bytes
    }

    fn offsets(scan: &Scan) -> Vec<u64> {
        scan.records.iter().map(|r| r.offset.0).collect()
    }

    #[test]
    fn a_torn_file_keeps_every_whole_record() {
        let bytes = file(5, &[b"first", b"", b"third third third third third"]);
        let ends: Vec<usize> = {
            let all = scan(&bytes, Offset(5), true);
            assert_eq!((offsets(&all), all.end_at), (vec![5, 6, 7], bytes.len()));
            all.records.iter().skip(1).map(|r| r.at).chain([bytes.len()]).collect()
        };
        for cut in 0..bytes.len() {
            let torn = scan(&bytes[..cut], Offset(5), true);
            let whole = ends.iter().filter(|end| **end <= cut).count() as u64;
            assert_eq!(offsets(&torn), (5..5 + whole).collect::<Vec<_>>(), "cut at {cut}");
            assert_eq!(torn.end, Offset(5 + whole));
            assert!(torn.damaged.is_empty());
        }
    }

    #[test]
    fn a_flipped_bit_costs_one_record_and_is_noticed() {
        let bytes = file(0, &[b"one", b"two", b"three", b"four"]);
        let starts: Vec<usize> = scan(&bytes, Offset(0), true).records.iter().map(|r| r.at).collect();
        for bit in starts[0] * 8..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let hit = starts.iter().rposition(|s| *s <= bit / 8).unwrap() as u64;
            let found = scan(&bad, Offset(0), true);
            assert_eq!(offsets(&found), (0..4).filter(|n| *n != hit).collect::<Vec<_>>(), "bit {bit}");
            if hit == 3 {
                assert!(found.damaged.is_empty() && found.end_at == starts[3], "a torn tail");
            } else {
                assert_eq!(found.damaged, [Offset(hit)..Offset(hit + 1)], "bit {bit}");
            }
        }
    }

    #[test]
    fn swapped_blocks_and_records_of_another_file_are_not_taken() {
        let bytes = file(0, &[b"aaa", b"bbb", b"ccc", b"ddd"]);
        let starts: Vec<usize> = scan(&bytes, Offset(0), true).records.iter().map(|r| r.at).collect();
        let mut swapped = bytes.clone();
        swapped[starts[1]..starts[2]].copy_from_slice(&bytes[starts[2]..starts[3]]);
        swapped[starts[2]..starts[3]].copy_from_slice(&bytes[starts[1]..starts[2]]);
        let found = scan(&swapped, Offset(0), true);
        assert!(!offsets(&found).contains(&1) || !offsets(&found).contains(&2));
        assert!(offsets(&found).contains(&0) && offsets(&found).contains(&3));
        assert!(!found.damaged.is_empty());
        let other = file(100, &[b"aaa"]);
        assert!(scan(&other, Offset(0), true).records.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_scanned_without_a_panic(
            mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            good in proptest::bool::ANY,
            at in 0usize..300,
        ) {
            if good {
                // a whole file with the noise somewhere in it
                let mut noisy = file(3, &[b"one", b"two", b"three"]);
                noisy.splice(at.min(noisy.len())..at.min(noisy.len()), bytes);
                bytes = noisy;
            }
            for check in [true, false] {
                let found = scan(&bytes, Offset(3), check);
                assert!(found.end_at <= bytes.len() && found.end >= Offset(3));
                assert!(found.records.is_sorted_by(|a, b| a.offset < b.offset && a.at < b.at));
            }
        }
    }
}
