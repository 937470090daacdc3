//! Attributes and their values.

use super::{Items, text, wrong_wire_type};
use crate::otlp::Malformed;
use crate::otlp::wire::{Reader, Value};

/// Attributes of anything, in order.
pub type Attributes<'a> = Items<'a, KeyValueView<'a>>;

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct KeyValueView<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value; [`AnyValueView::None`] when it is unset or empty.
    pub value: AnyValueView<'a>,
    /// The value as an `AnyValue` message; `None` when the field is not there at all.
    pub value_bytes: Option<&'a [u8]>,
}

impl<'a> KeyValueView<'a> {
    /// Reads the bytes of a `KeyValue` message.
    ///
    /// # Errors
    /// [`Malformed`] when they cannot be read.
    pub fn parse(bytes: &'a [u8]) -> Result<KeyValueView<'a>, Malformed> {
        KeyValueView::read(Reader::new(bytes))
    }

    #[inline]
    pub(super) fn read(body: Reader<'a>) -> Result<KeyValueView<'a>, Malformed> {
        let mut view = KeyValueView { key: "", value: AnyValueView::None, value_bytes: None };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (1, Value::Bytes(key)) => view.key = text(&key)?,
                (2, Value::Bytes(value)) => {
                    view.value = AnyValueView::read(value)?;
                    view.value_bytes = Some(value.rest());
                }
                (1 | 2, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }
}

/// A value of any type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnyValueView<'a> {
    /// No value, or one of a kind that OTLP traces do not carry.
    None,
    /// Text.
    Str(&'a str),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number, NaN and infinities included.
    Double(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// The bytes of an `ArrayValue` message: see [`AnyValueView::elements`].
    Array(&'a [u8]),
    /// The bytes of a `KeyValueList` message: see [`AnyValueView::entries`].
    Map(&'a [u8]),
}

impl<'a> AnyValueView<'a> {
    /// Reads the bytes of an `AnyValue` message.
    ///
    /// # Errors
    /// [`Malformed`] when they cannot be read.
    pub fn parse(bytes: &'a [u8]) -> Result<AnyValueView<'a>, Malformed> {
        AnyValueView::read(Reader::new(bytes))
    }

    #[inline]
    pub(super) fn read(mut fields: Reader<'a>) -> Result<AnyValueView<'a>, Malformed> {
        let mut view = AnyValueView::None;
        while let Some(field) = fields.field()? {
            view = match (field.number, field.value) {
                (1, Value::Bytes(body)) => AnyValueView::Str(text(&body)?),
                (2, Value::Varint(value)) => AnyValueView::Bool(value != 0),
                (3, Value::Varint(value)) => AnyValueView::Int(value.cast_signed()),
                (4, Value::Fixed64(bits)) => AnyValueView::Double(f64::from_bits(bits)),
                (5, Value::Bytes(body)) => AnyValueView::Array(body.rest()),
                (6, Value::Bytes(body)) => AnyValueView::Map(body.rest()),
                (7, Value::Bytes(body)) => AnyValueView::Bytes(body.rest()),
                (1..=7, _) => return Err(wrong_wire_type(&fields)),
                (8, _) => AnyValueView::None,
                _ => view,
            };
        }
        Ok(view)
    }

    /// The elements of an array, in order; nothing for any other type.
    #[must_use]
    pub fn elements(&self) -> Items<'a, AnyValueView<'a>> {
        let bytes = if let AnyValueView::Array(bytes) = self { *bytes } else { &[] };
        Items::new(Reader::new(bytes), 1, AnyValueView::read)
    }

    /// The entries of a map, in order; nothing for any other type.
    #[must_use]
    pub fn entries(&self) -> Attributes<'a> {
        let bytes = if let AnyValueView::Map(bytes) = self { *bytes } else { &[] };
        Items::new(Reader::new(bytes), 1, KeyValueView::read)
    }
}
