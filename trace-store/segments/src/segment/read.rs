//! Reading Parquet parts through [`ReadAt`]: all ranges of a step in one round trip.
//!
//! Knows: the push decoder of the `parquet` crate, and that its bytes may be damaged. Must not know: what columns mean.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowFilter, RowSelection};
use parquet::arrow::push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder};
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder};
use parquet::file::statistics::Statistics;
use runtime_engine::{Error, ReadAt, Result};

use super::layout::{FORMAT_KEY, FORMAT_VERSION};
use crate::Cost;

/// What is read from the end of a part first: footer and page index of most parts.
const TAIL_BYTES: u64 = 64 * 1024;

/// A part whose footer is resident.
pub(crate) struct Part {
    name: String,
    io: Arc<dyn ReadAt>,
    pub(crate) metadata: ArrowReaderMetadata,
}

/// Which rows of which columns to read.
pub(crate) struct Scan {
    pub(crate) row_groups: Vec<usize>,
    pub(crate) projection: ProjectionMask,
    pub(crate) selection: Option<RowSelection>,
    pub(crate) filter: Option<RowFilter>,
    pub(crate) batch_rows: usize,
}

/// Runs a step of the decoder, which may panic on bytes that no writer wrote.
fn guard<T>(name: &str, step: impl FnOnce() -> std::result::Result<T, ParquetError>) -> Result<T> {
    let damaged = |detail: String| Error::corrupt(format!("segment part {name}"), detail);
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(e)) => Err(damaged(e.to_string())),
        Err(_) => Err(damaged("its encoding makes no sense".into())),
    }
}

/// Fetches ranges; what fails its checksum is corrupt.
fn fetch(name: &str, io: &dyn ReadAt, ranges: &[Range<u64>], cost: &mut Cost) -> Result<Vec<Bytes>> {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    let read = io.read_ranges(ranges).map_err(|e| match e.kind() {
        InvalidData | UnexpectedEof => Error::corrupt(format!("segment part {name}"), e.to_string()),
        _ => Error::Io(e),
    })?;
    cost.bytes += read.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
    Ok(read)
}

impl Part {
    /// Reads the footer and the page index.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when this is not a part of a segment in a known format.
    pub(crate) fn open(name: String, io: Arc<dyn ReadAt>) -> Result<Self> {
        let cost = &mut Cost::default();
        let len = io.len_bytes();
        let mut decoder = guard(&name, || {
            Ok(ParquetMetaDataPushDecoder::try_new(len)?.with_page_index_policy(PageIndexPolicy::Optional))
        })?;
        let tail = len.saturating_sub(TAIL_BYTES)..len;
        let mut wanted = vec![tail];
        let metadata = loop {
            let read = fetch(&name, io.as_ref(), &wanted, cost)?;
            let step = guard(&name, || {
                decoder.push_ranges(wanted, read)?;
                decoder.try_decode()
            })?;
            match step {
                DecodeResult::NeedsData(ranges) => wanted = ranges,
                DecodeResult::Data(metadata) => break Arc::new(metadata),
                DecodeResult::Finished => {
                    return Err(Error::corrupt(format!("segment part {name}"), "no footer"));
                }
            }
        };
        check_version(&name, &metadata)?;
        let metadata = guard(&name, || ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new()))?;
        Ok(Self { name, io, metadata })
    }

    /// Row groups in the part.
    pub(crate) fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows of a row group.
    pub(crate) fn rows_of(&self, row_group: usize) -> u64 {
        let group = self.metadata.metadata().row_groups().get(row_group);
        group.and_then(|g| u64::try_from(g.num_rows()).ok()).unwrap_or(0)
    }

    /// The leaf column of a root column that has no children.
    pub(crate) fn leaf_of(&self, root: usize) -> Option<usize> {
        let schema = self.metadata.parquet_schema();
        (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == root)
    }

    /// The leaf column at a path.
    pub(crate) fn leaf_at(&self, path: &str) -> Option<usize> {
        let schema = self.metadata.parquet_schema();
        (0..schema.num_columns()).find(|leaf| schema.column(*leaf).path().string() == path)
    }

    /// Columns by their number at the root of the schema.
    pub(crate) fn projection(&self, roots: impl IntoIterator<Item = usize>) -> ProjectionMask {
        ProjectionMask::roots(self.metadata.parquet_schema(), roots)
    }

    /// Starts a scan.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the footer contradicts itself.
    pub(crate) fn scan(&self, scan: Scan) -> Result<Batches<'_>> {
        let decoder = guard(&self.name, || {
            let mut builder = ParquetPushDecoderBuilder::new_with_metadata(self.metadata.clone())
                .with_row_groups(scan.row_groups)
                .with_projection(scan.projection)
                .with_batch_size(scan.batch_rows);
            if let Some(selection) = scan.selection {
                builder = builder.with_row_selection(selection);
            }
            if let Some(filter) = scan.filter {
                builder = builder.with_row_filter(filter);
            }
            builder.build()
        })?;
        Ok(Batches { part: self, decoder })
    }

    /// The bloom filter of a column in each row group, where there is one.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it cannot be read.
    pub(crate) fn blooms(&self, column: usize) -> Result<Vec<Option<Sbbf>>> {
        let mut ranges = Vec::new();
        for group in self.metadata.metadata().row_groups() {
            let at = group.columns().get(column).and_then(|c| {
                let from = u64::try_from(c.bloom_filter_offset()?).ok()?;
                Some(from..from.saturating_add(u64::try_from(c.bloom_filter_length()?).ok()?))
            });
            ranges.push(at);
        }
        let wanted: Vec<_> = ranges.iter().flatten().cloned().collect();
        if wanted.iter().any(|range| range.end > self.io.len_bytes()) {
            return Err(Error::corrupt(
                format!("segment part {}", self.name),
                "a filter lies beyond its end",
            ));
        }
        let mut read = fetch(&self.name, self.io.as_ref(), &wanted, &mut Cost::default())?.into_iter();
        let mut load = |at: Option<Range<u64>>| {
            let Some(bytes) = at.and_then(|_| read.next()) else { return Ok(None) };
            guard(&self.name, || Sbbf::from_bytes(&bytes).map(Some))
        };
        ranges.into_iter().map(&mut load).collect()
    }

    /// Least and greatest value of an unsigned column in a row group, where known.
    pub(crate) fn range_u64(&self, row_group: usize, column: usize) -> Option<(u64, u64)> {
        let group = self.metadata.metadata().row_groups().get(row_group)?;
        match group.columns().get(column)?.statistics()? {
            Statistics::Int64(s) => Some((s.min_opt()?.cast_unsigned(), s.max_opt()?.cast_unsigned())),
            _ => None,
        }
    }

    /// Least and greatest value of a signed column in a row group, where known.
    pub(crate) fn range_i64(&self, row_group: usize, column: usize) -> Option<(i64, i64)> {
        let group = self.metadata.metadata().row_groups().get(row_group)?;
        match group.columns().get(column)?.statistics()? {
            Statistics::Int64(s) => Some((*s.min_opt()?, *s.max_opt()?)),
            _ => None,
        }
    }

    /// [`Error::Corrupt`] of this part.
    pub(crate) fn corrupt(&self, detail: impl Into<String>) -> Error {
        Error::corrupt(format!("segment part {}", self.name), detail)
    }
}

fn check_version(name: &str, metadata: &ParquetMetaData) -> Result<()> {
    let pairs = metadata.file_metadata().key_value_metadata();
    let version = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == FORMAT_KEY));
    match version.and_then(|pair| pair.value.as_deref()) {
        Some(FORMAT_VERSION) => Ok(()),
        found => {
            let detail = format!("{FORMAT_KEY} is {found:?}, expected {FORMAT_VERSION:?}");
            Err(Error::corrupt(format!("segment part {name}"), detail))
        }
    }
}

/// A scan under way.
pub(crate) struct Batches<'p> {
    part: &'p Part,
    decoder: ParquetPushDecoder,
}

impl Batches<'_> {
    /// The next batch; nothing at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a failed read.
    pub(crate) fn next(&mut self, cost: &mut Cost) -> Result<Option<RecordBatch>> {
        loop {
            let Batches { part, decoder } = self;
            match guard(&part.name, || decoder.try_decode())? {
                DecodeResult::NeedsData(ranges) => {
                    let read = fetch(&part.name, part.io.as_ref(), &ranges, cost)?;
                    guard(&part.name, || decoder.push_ranges(ranges, read))?;
                }
                DecodeResult::Data(batch) => return Ok(Some(batch)),
                DecodeResult::Finished => return Ok(None),
            }
        }
    }
}
