//! Verified reads of ranges.
//!
//! Knows: which blocks a call needs; each is read and verified once per call, through a scratch buffer that stays in the
//! processor's cache, and only the wanted bytes are kept. Must not know: how checksums are stored. Start at
//! [`CheckedFile`].
//!
//! There is deliberately no memory of blocks that were verified before: the page cache may drop a page and read it from
//! a failing disk again. A checksum costs a third of the copy out of the page cache (CRC32C in hardware, 25 GB/s).

use std::io;
use std::ops::Range;

use bytes::Bytes;
use runtime_engine::ReadAt;
use runtime_files::File;

use crate::ObjectsError;
use crate::fields::len_u64;
use crate::local::sums::{BLOCK, Sums};

/// Blocks that one read of the file asks for at most: 512 KiB.
const PIECE_BLOCKS: usize = 8;

/// An open data file and what it must contain.
pub(crate) struct CheckedFile {
    pub(crate) file: Box<dyn File>,
    pub(crate) sums: Sums,
    /// For error texts.
    pub(crate) path: String,
}

/// One range that was asked for.
struct Want {
    /// Its place in the question.
    number: usize,
    range: Range<u64>,
    got: Vec<u8>,
}

impl ReadAt for CheckedFile {
    fn len_bytes(&self) -> u64 {
        self.sums.len_bytes
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let mut wants = Vec::with_capacity(ranges.len());
        for (number, range) in ranges.iter().enumerate() {
            if range.start > range.end || range.end > self.sums.len_bytes {
                return Err(beyond_end(range, self.sums.len_bytes));
            }
            let len = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
            wants.push(Want { number, range: range.clone(), got: Vec::with_capacity(len) });
        }
        wants.sort_by_key(|w| w.range.start);
        let mut scratch = Vec::new();
        for piece in pieces(&wants) {
            let bytes = self.read_blocks(&piece, &mut scratch)?;
            let at = piece.start * BLOCK;
            let end = at + len_u64(bytes);
            for want in wants.iter_mut().take_while(|w| w.range.start < end).filter(|w| w.range.end > at) {
                let wanted = want.range.start.max(at) - at..want.range.end.min(end) - at;
                want.got.extend_from_slice(part(bytes, &wanted)?);
            }
        }
        wants.sort_by_key(|w| w.number);
        Ok(wants.into_iter().map(|w| Bytes::from(w.got)).collect())
    }
}

impl CheckedFile {
    fn read_blocks<'a>(&self, blocks: &Range<u64>, scratch: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        let at = blocks.start * BLOCK;
        let end = (blocks.end * BLOCK).min(self.sums.len_bytes);
        scratch.resize(usize::try_from(end - at).map_err(io::Error::other)?, 0);
        self.file.read_exact_at(scratch, at).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::from(ObjectsError::Corrupt {
                path: self.path.clone(),
                detail: format!("it ends inside bytes {at} to {end}, expected {} bytes", self.sums.len_bytes),
            }),
            _ => e,
        })?;
        self.sums.verify(blocks.start, scratch, &self.path)?;
        Ok(scratch)
    }
}

/// The blocks that the ranges touch, ascending, each once, cut into pieces of a bounded size.
fn pieces(sorted: &[Want]) -> impl Iterator<Item = Range<u64>> + use<> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for want in sorted.iter().filter(|w| !w.range.is_empty()) {
        let (start, end) = (want.range.start / BLOCK, want.range.end.div_ceil(BLOCK));
        match runs.last_mut() {
            Some(run) if start <= run.end => run.end = run.end.max(end),
            _ => runs.push(start..end),
        }
    }
    runs.into_iter().flat_map(|run| {
        let starts = (run.start..run.end).step_by(PIECE_BLOCKS);
        starts.map(move |at| at..run.end.min(at + PIECE_BLOCKS as u64))
    })
}

fn part<'a>(bytes: &'a [u8], wanted: &Range<u64>) -> io::Result<&'a [u8]> {
    let start = usize::try_from(wanted.start).map_err(io::Error::other)?;
    let end = usize::try_from(wanted.end).map_err(io::Error::other)?;
    bytes.get(start..end).ok_or_else(|| beyond_end(wanted, len_u64(bytes)))
}

pub(crate) fn beyond_end(range: &Range<u64>, len_bytes: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("range {}..{} of an object of {len_bytes} bytes", range.start, range.end),
    )
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "read_ranges takes a slice of ranges")]
mod tests {
    use std::sync::{Arc, Mutex};

    use runtime_engine::ObjectId;

    use super::*;

    /// Zeros of any length, and a note of what was read.
    #[derive(Clone, Default)]
    struct Zeros(Arc<Mutex<Vec<Range<u64>>>>);

    impl File for Zeros {
        fn read_exact_at(&self, buf: &mut [u8], at: u64) -> io::Result<()> {
            self.0.lock().unwrap().push(at..at + len_u64(buf));
            Ok(())
        }

        fn append(&self, _: &[u8]) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn sync(&self) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn len_bytes(&self) -> io::Result<u64> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn truncate(&self, _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    #[test]
    fn each_needed_block_is_read_once_in_bounded_pieces() {
        let len = 20 * BLOCK + 7;
        let mut sums = Sums::new(ObjectId(1), "parquet");
        sums.add(&vec![0; usize::try_from(len).unwrap()]);
        let zeros = Zeros::default();
        let file = CheckedFile { file: Box::new(zeros.clone()), sums, path: "x".to_owned() };
        let check = |asked: &[Range<u64>], expected: &[Range<u64>]| {
            let got = file.read_ranges(asked).unwrap();
            assert!(got.iter().zip(asked).all(|(got, asked)| len_u64(got) == asked.end - asked.start));
            assert_eq!(*zeros.0.lock().unwrap(), expected, "{asked:?}");
            zeros.0.lock().unwrap().clear();
        };
        check(&[], &[]);
        check(&[5..5, len..len], &[]);
        check(&[1..2], &[0..BLOCK]);
        check(&[3 * BLOCK..3 * BLOCK + 1, 10..20, 5..15, 0..BLOCK], &[0..BLOCK, 3 * BLOCK..4 * BLOCK]);
        check(&[BLOCK - 1..BLOCK + 1], &[0..2 * BLOCK]);
        check(&[len - 1..len], &[20 * BLOCK..len]);
        let pieces = [0..8 * BLOCK, 8 * BLOCK..16 * BLOCK, 16 * BLOCK..len];
        check(&[0..len, 5 * BLOCK..6 * BLOCK], &pieces);
    }
}
