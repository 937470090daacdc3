//! How the columns of one segment become those of another.
//!
//! Knows: layouts and `attribute_order`. Must not know: which rows are wanted.

use std::sync::Arc;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, UInt32Array, new_null_array};
use runtime_engine::{Error, Result};
use shared_proto::otlp::view::SpanView;

use super::Rows;
use crate::segment::attributes::{AttributesColumn, typed};
use crate::segment::columns::{FROM_LIST, SpanColumns, is_default_order};
use crate::segment::layout::{Layout, column};
use crate::segment::rows::SpanRows;
use crate::segment::writer::arrow_error;

/// What becomes of each attribute column of an input.
#[derive(Debug)]
pub(crate) struct Fit {
    from: Arc<Layout>,
    to: Arc<Layout>,
    /// For each attribute column of the input, its place among those of the output.
    places: Vec<Option<u8>>,
    /// For each attribute column of the output, its place among those of the input.
    sources: Vec<Option<usize>>,
}

impl Fit {
    /// Compares two layouts.
    pub(crate) fn new(from: Arc<Layout>, to: Arc<Layout>) -> Self {
        let place =
            |d: &super::super::Dedicated| to.columns_of(&d.key).get(d.value as usize).copied().flatten();
        let places: Vec<_> = from.dedicated.iter().map(place).collect();
        let mut sources = vec![None; to.dedicated.len()];
        for (source, place) in places.iter().enumerate() {
            if let Some(slot) = place.and_then(|place| sources.get_mut(usize::from(place))) {
                *slot = Some(source);
            }
        }
        Self { from, to, places, sources }
    }

    /// A batch of the input as one of the output; `resources` and `scopes` are its ordinals in the output's tables.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the batch is not one of the input's layout.
    pub(crate) fn rows(
        &self,
        batch: &RecordBatch,
        resources: UInt32Array,
        scopes: UInt32Array,
    ) -> Result<Rows> {
        let batch = if self.fits(batch)? {
            self.moved(batch, resources, scopes)?
        } else {
            self.anew(batch, &resources, &scopes)?
        };
        Rows::new(batch)
    }

    /// Whether columns can be taken as they are: those without a place are empty, and no value of those without a
    /// source stands in the list.
    fn fits(&self, batch: &RecordBatch) -> Result<bool> {
        let dedicated = batch.columns().get(column::DEDICATED..).unwrap_or_default();
        let lost =
            |(place, array): (&Option<u8>, &ArrayRef)| place.is_none() && array.null_count() < array.len();
        if self.places.iter().zip(dedicated).any(lost) {
            return Ok(false);
        }
        let without: Vec<&str> = self
            .to
            .dedicated
            .iter()
            .zip(&self.sources)
            .filter(|(_, source)| source.is_none())
            .map(|(d, _)| &*d.key)
            .collect();
        if without.is_empty() {
            return Ok(true);
        }
        let list = AttributesColumn::new(batch.columns().get(column::ATTRIBUTES), "attributes")?;
        Ok(!list.keys().any(|key| without.contains(&key)))
    }

    fn moved(&self, batch: &RecordBatch, resources: UInt32Array, scopes: UInt32Array) -> Result<RecordBatch> {
        let (fixed, dedicated) = batch.columns().split_at_checked(column::DEDICATED).unwrap_or_default();
        let mut columns = fixed.to_vec();
        let changed: [(usize, ArrayRef); 3] = [
            (column::RESOURCE, Arc::new(resources)),
            (column::SCOPE, Arc::new(scopes)),
            (column::ATTRIBUTE_ORDER, self.order(batch, dedicated)?),
        ];
        for (at, array) in changed {
            if let Some(slot) = columns.get_mut(at) {
                *slot = array;
            }
        }
        for (wanted, source) in self.to.dedicated.iter().zip(&self.sources) {
            let array = source.and_then(|source| dedicated.get(source));
            let empty = || new_null_array(&wanted.value.data_type(), batch.num_rows());
            columns.push(array.map_or_else(empty, Arc::clone));
        }
        RecordBatch::try_new(Arc::clone(&self.to.schema), columns).map_err(arrow_error)
    }

    /// The column `attribute_order`, with the places of the output.
    fn order(&self, batch: &RecordBatch, dedicated: &[ArrayRef]) -> Result<ArrayRef> {
        let array = batch.columns().get(column::ATTRIBUTE_ORDER);
        let order: &BinaryArray = typed(array, "attribute_order")?;
        if self.places.iter().zip(0..).all(|(place, here)| *place == Some(here)) {
            return Ok(Arc::new(order.clone()));
        }
        let list = AttributesColumn::new(batch.columns().get(column::ATTRIBUTES), "attributes")?;
        let mut out = BinaryBuilder::new();
        let mut sequence = Vec::new();
        for row in 0..batch.num_rows() {
            sequence.clear();
            if order.is_valid(row) {
                for &byte in order.value(row) {
                    sequence.push(if byte == FROM_LIST { FROM_LIST } else { self.place(byte - 1)? + 1 });
                }
            } else {
                for (place, array) in self.places.iter().zip(dedicated) {
                    if let Some(place) = place.filter(|_| array.is_valid(row)) {
                        sequence.push(place + 1);
                    }
                }
                sequence.resize(sequence.len() + list.row(row).len(), FROM_LIST);
            }
            if is_default_order(&sequence) {
                out.append_null();
            } else {
                out.append_value(&sequence);
            }
        }
        Ok(Arc::new(out.finish()))
    }

    fn place(&self, ordinal: u8) -> Result<u8> {
        let place = self.places.get(usize::from(ordinal)).copied().flatten();
        place.ok_or_else(|| Error::corrupt("segment", "attribute_order names a column without a value"))
    }

    /// Row by row, through OTLP.
    fn anew(
        &self,
        batch: &RecordBatch,
        resources: &UInt32Array,
        scopes: &UInt32Array,
    ) -> Result<RecordBatch> {
        let rows = SpanRows::new(batch, &self.from)?;
        let mut columns = SpanColumns::new(Arc::clone(&self.to));
        let mut bytes = Vec::new();
        for row in 0..rows.len() {
            bytes.clear();
            rows.write(row, &mut bytes)?;
            let corrupt = |e: crate::Malformed| Error::corrupt("segment row", e.to_string());
            let span = SpanView::parse(&bytes).map_err(corrupt)?;
            let status = span.status().map_err(corrupt)?;
            columns.push(&span, status, resources.value(row), scopes.value(row))?;
        }
        columns.finish()
    }
}
