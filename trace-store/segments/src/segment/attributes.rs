//! Lists of attributes: how they become columns, and how columns become attributes again.
//!
//! Knows: one attribute at a time. Must not know: which attributes have columns of their own.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::Fields;
use runtime_engine::{Error, Result};
use shared_proto::otlp::view::{AnyValueView, KeyValueView};

use super::layout::{attribute_fields, item};
use crate::{Built, proto};

/// Row ends of a list column.
#[derive(Debug)]
pub(crate) struct Offsets(Vec<i32>);

impl Default for Offsets {
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Offsets {
    /// Ends a row after `items` items in all.
    ///
    /// # Errors
    /// When a batch holds more than 2 billion of them.
    pub(crate) fn end_row(&mut self, items: usize) -> Result<()> {
        let end =
            i32::try_from(items).map_err(|e| Error::Invalid(format!("{items} items in a batch: {e}")))?;
        self.0.push(end);
        Ok(())
    }

    /// The list column of these rows; starts anew.
    ///
    /// # Errors
    /// When `items` are not as long as the rows say.
    pub(crate) fn finish(&mut self, fields: Fields, items: Vec<ArrayRef>) -> Built<ArrayRef> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::take(self).0));
        let items = StructArray::try_new(fields.clone(), items, None)?;
        Ok(Arc::new(ListArray::try_new(item(fields), offsets, Arc::new(items), None)?))
    }
}

/// A list column of attributes in the making.
#[derive(Debug, Default)]
pub(crate) struct AttributesBuilder {
    rows: Offsets,
    keys: StringBuilder,
    strings: StringBuilder,
    ints: Int64Builder,
    doubles: Float64Builder,
    bools: BooleanBuilder,
    any: BinaryBuilder,
    items: usize,
}

impl AttributesBuilder {
    pub(crate) fn push(&mut self, attribute: &KeyValueView<'_>) {
        self.items += 1;
        self.keys.append_value(attribute.key);
        let value = attribute.value;
        self.strings.append_option(if let AnyValueView::Str(v) = value { Some(v) } else { None });
        self.ints.append_option(if let AnyValueView::Int(v) = value { Some(v) } else { None });
        self.doubles.append_option(if let AnyValueView::Double(v) = value { Some(v) } else { None });
        self.bools.append_option(if let AnyValueView::Bool(v) = value { Some(v) } else { None });
        self.any.append_option(match value {
            AnyValueView::None | AnyValueView::Bytes(_) | AnyValueView::Array(_) | AnyValueView::Map(_) => {
                attribute.value_bytes
            }
            _ => None,
        });
    }

    /// Ends a row.
    ///
    /// # Errors
    /// When a batch holds more than 2 billion attributes.
    pub(crate) fn end_row(&mut self) -> Result<()> {
        self.rows.end_row(self.items)
    }

    pub(crate) fn finish(&mut self) -> Built<ArrayRef> {
        self.items = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.keys.finish()),
            Arc::new(self.strings.finish()),
            Arc::new(self.ints.finish()),
            Arc::new(self.doubles.finish()),
            Arc::new(self.bools.finish()),
            Arc::new(self.any.finish()),
        ];
        self.rows.finish(attribute_fields(), columns)
    }
}

/// Appends a `KeyValue` field with a value of one of the types that columns hold as they are.
pub(crate) fn write_attribute(out: &mut Vec<u8>, field: u32, key: &str, value: Option<AnyValueView<'_>>) {
    proto::message(out, field, |out| {
        proto::bytes_unless_empty(out, 1, key.as_bytes());
        match value {
            Some(AnyValueView::Str(v)) => proto::message(out, 2, |out| proto::bytes(out, 1, v.as_bytes())),
            Some(AnyValueView::Bool(v)) => proto::message(out, 2, |out| proto::number(out, 2, u64::from(v))),
            Some(AnyValueView::Int(v)) => {
                proto::message(out, 2, |out| proto::number(out, 3, v.cast_unsigned()))
            }
            Some(AnyValueView::Double(v)) => {
                proto::message(out, 2, |out| proto::fixed64(out, 4, v.to_bits()))
            }
            _ => {}
        }
    });
}

/// A list column of attributes, read.
#[derive(Debug)]
pub(crate) struct AttributesColumn<'a> {
    rows: &'a [i32],
    keys: &'a StringArray,
    strings: &'a StringArray,
    ints: &'a Int64Array,
    doubles: &'a Float64Array,
    bools: &'a BooleanArray,
    any: &'a BinaryArray,
}

/// The array of a column as what it should be.
///
/// # Errors
/// [`Error::Corrupt`] when it is something else.
pub(crate) fn typed<'a, T: 'static>(array: Option<&'a ArrayRef>, name: &str) -> Result<&'a T> {
    array
        .and_then(|a| a.as_any().downcast_ref::<T>())
        .ok_or_else(|| Error::corrupt("segment", format!("column {name} is absent or of another type")))
}

/// The row ends and the item columns of a list column.
///
/// # Errors
/// [`Error::Corrupt`] when it is something else.
pub(crate) fn list<'a>(array: Option<&'a ArrayRef>, name: &str) -> Result<(&'a [i32], &'a [ArrayRef])> {
    let list: &ListArray = typed(array, name)?;
    let items: &StructArray = typed(Some(list.values()), name)?;
    Ok((list.value_offsets(), items.columns()))
}

/// The items of a row of a list column.
pub(crate) fn row_range(rows: &[i32], row: usize) -> Range<usize> {
    let at = |i: usize| rows.get(i).and_then(|&end| usize::try_from(end).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

impl<'a> AttributesColumn<'a> {
    /// Looks at a list column.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not one of attributes.
    pub(crate) fn new(array: Option<&'a ArrayRef>, name: &str) -> Result<Self> {
        let (rows, columns) = list(array, name)?;
        Ok(Self {
            rows,
            keys: typed(columns.first(), name)?,
            strings: typed(columns.get(1), name)?,
            ints: typed(columns.get(2), name)?,
            doubles: typed(columns.get(3), name)?,
            bools: typed(columns.get(4), name)?,
            any: typed(columns.get(5), name)?,
        })
    }

    /// The attributes of a row.
    pub(crate) fn row(&self, row: usize) -> Range<usize> {
        row_range(self.rows, row)
    }

    /// The keys of all rows.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.keys.iter().flatten()
    }

    pub(crate) fn key(&self, item: usize) -> &'a str {
        self.keys.value(item)
    }

    /// The value of an attribute.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not an `AnyValue` message.
    pub(crate) fn value(&self, item: usize) -> Result<AnyValueView<'a>> {
        Ok(match self.plain(item) {
            Some(value) => value,
            None if self.any.is_valid(item) => AnyValueView::parse(self.any.value(item))
                .map_err(|e| Error::corrupt("segment attribute", e.to_string()))?,
            None => AnyValueView::None,
        })
    }

    fn plain(&self, item: usize) -> Option<AnyValueView<'a>> {
        if self.strings.is_valid(item) {
            Some(AnyValueView::Str(self.strings.value(item)))
        } else if self.ints.is_valid(item) {
            Some(AnyValueView::Int(self.ints.value(item)))
        } else if self.doubles.is_valid(item) {
            Some(AnyValueView::Double(self.doubles.value(item)))
        } else if self.bools.is_valid(item) {
            Some(AnyValueView::Bool(self.bools.value(item)))
        } else {
            None
        }
    }

    /// Appends an attribute as a `KeyValue` field.
    pub(crate) fn write(&self, item: usize, out: &mut Vec<u8>, field: u32) {
        let plain = self.plain(item);
        if plain.is_none() && self.any.is_valid(item) {
            proto::message(out, field, |out| {
                proto::bytes_unless_empty(out, 1, self.keys.value(item).as_bytes());
                proto::bytes(out, 2, self.any.value(item));
            });
        } else {
            write_attribute(out, field, self.keys.value(item), plain);
        }
    }
}

/// The row ends of a list column of items (events or links), and the attributes of those items, which are their last
/// field.
///
/// # Errors
/// [`Error::Corrupt`] when it is something else.
pub(crate) fn attributes_of_items<'a>(
    array: Option<&'a ArrayRef>,
    name: &str,
) -> Result<(&'a [i32], AttributesColumn<'a>)> {
    let (rows, columns) = list(array, name)?;
    Ok((rows, AttributesColumn::new(columns.last(), name)?))
}
