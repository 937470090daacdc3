//! Zero-copy views over `TracesData`: every view borrows from the bytes it was made of.
//!
//! Knows: the fields of OTLP traces. Must not know: limits or repairs ([`super::admit`] has been there before).
//! Start at [`TracesView`].
//!
//! Unset fields read as protobuf's defaults; when a field that occurs once is there twice, the last one counts
//! (as in protobuf for scalars; `admit` has merged repeated messages). Unknown fields are passed over.

mod attribute;
mod span;

pub use attribute::{AnyValueView, Attributes, KeyValueView};
pub use span::{EventView, LinkView, SpanView, StatusView};

use super::Malformed;
use super::wire::{Reader, Value};

/// A whole request or log record.
#[derive(Debug, Clone, Copy)]
pub struct TracesView<'a> {
    body: Reader<'a>,
}

impl<'a> TracesView<'a> {
    /// Looks at `TracesData` bytes; nothing is read yet.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> TracesView<'a> {
        TracesView { body: Reader::new(bytes) }
    }

    /// The resources with their scopes and spans, in order.
    #[must_use]
    pub fn resource_spans(&self) -> Items<'a, ResourceSpansView<'a>> {
        Items::new(self.body, 1, ResourceSpansView::read)
    }
}

impl<'a> IntoIterator for TracesView<'a> {
    type Item = Result<ResourceSpansView<'a>, Malformed>;
    type IntoIter = Items<'a, ResourceSpansView<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.resource_spans()
    }
}

/// The occurrences of one repeated message field, in order; ends after the first error.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a, T> {
    body: Reader<'a>,
    number: u32,
    read: fn(Reader<'a>) -> Result<T, Malformed>,
}

impl<'a, T> Items<'a, T> {
    pub(crate) fn new(
        body: Reader<'a>,
        number: u32,
        read: fn(Reader<'a>) -> Result<T, Malformed>,
    ) -> Items<'a, T> {
        Items { body, number, read }
    }

    #[inline]
    fn step(&mut self) -> Result<Option<T>, Malformed> {
        while let Some(field) = self.body.field()? {
            if field.number == self.number {
                let Value::Bytes(body) = field.value else { return Err(wrong_wire_type(&self.body)) };
                return (self.read)(body).map(Some);
            }
        }
        Ok(None)
    }
}

impl<T> Iterator for Items<'_, T> {
    type Item = Result<T, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.step() {
            Ok(Some(item)) => Some(Ok(item)),
            Ok(None) => None,
            Err(error) => {
                self.body = Reader::new(&[]);
                Some(Err(error))
            }
        }
    }
}

#[cold]
fn wrong_wire_type(body: &Reader<'_>) -> Malformed {
    Malformed::new(body.at(), "a field has the wrong wire type, its value ends here")
}

/// UTF-8 text, checked.
#[inline]
fn text<'a>(body: &Reader<'a>) -> Result<&'a str, Malformed> {
    std::str::from_utf8(body.rest())
        .map_err(|error| Malformed::new(body.at() + error.valid_up_to(), "text is not UTF-8"))
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "protobuf keeps the low 32 bits of a varint")]
fn low32(value: u64) -> u32 {
    value as u32
}

/// One resource with its scopes.
#[derive(Debug, Clone, Copy)]
pub struct ResourceSpansView<'a> {
    body: Reader<'a>,
    resource: Option<Reader<'a>>,
    schema_url: &'a str,
}

impl<'a> ResourceSpansView<'a> {
    fn read(body: Reader<'a>) -> Result<ResourceSpansView<'a>, Malformed> {
        let mut view = ResourceSpansView { body, resource: None, schema_url: "" };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (1, Value::Bytes(resource)) => view.resource = Some(resource),
                (3, Value::Bytes(url)) => view.schema_url = text(&url)?,
                (1 | 3, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }

    /// The resource; `None` when the message has none.
    ///
    /// # Errors
    /// [`Malformed`] when its bytes cannot be read.
    pub fn resource(&self) -> Result<Option<ResourceView<'a>>, Malformed> {
        self.resource.map(ResourceView::read).transpose()
    }

    /// The schema of the resource; empty when there is none.
    #[must_use]
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// The scopes with their spans, in order.
    #[must_use]
    pub fn scopes(&self) -> Items<'a, ScopeSpansView<'a>> {
        Items::new(self.body, 2, ScopeSpansView::read)
    }

    /// The message as it is in the request, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }
}

/// A resource: what emitted the spans.
#[derive(Debug, Clone, Copy)]
pub struct ResourceView<'a> {
    body: Reader<'a>,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
}

impl<'a> ResourceView<'a> {
    fn read(body: Reader<'a>) -> Result<ResourceView<'a>, Malformed> {
        let mut view = ResourceView { body, dropped_attributes_count: 0 };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (2, Value::Varint(count)) => view.dropped_attributes_count = low32(count),
                (2, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Items::new(self.body, 1, KeyValueView::read)
    }

    /// The message as it is in the request (entity references and unknown fields included).
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }
}

/// One instrumentation scope with its spans.
#[derive(Debug, Clone, Copy)]
pub struct ScopeSpansView<'a> {
    body: Reader<'a>,
    scope: Option<Reader<'a>>,
    schema_url: &'a str,
}

impl<'a> ScopeSpansView<'a> {
    fn read(body: Reader<'a>) -> Result<ScopeSpansView<'a>, Malformed> {
        let mut view = ScopeSpansView { body, scope: None, schema_url: "" };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (1, Value::Bytes(scope)) => view.scope = Some(scope),
                (3, Value::Bytes(url)) => view.schema_url = text(&url)?,
                (1 | 3, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }

    /// The scope; `None` when the message has none.
    ///
    /// # Errors
    /// [`Malformed`] when its bytes cannot be read.
    pub fn scope(&self) -> Result<Option<ScopeView<'a>>, Malformed> {
        self.scope.map(ScopeView::read).transpose()
    }

    /// The schema of the scope's spans; empty when there is none.
    #[must_use]
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// The spans, in order.
    #[must_use]
    pub fn spans(&self) -> Items<'a, SpanView<'a>> {
        Items::new(self.body, 2, SpanView::read)
    }

    /// The message as it is in the request, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }
}

/// An instrumentation scope: which library made the spans.
#[derive(Debug, Clone, Copy)]
pub struct ScopeView<'a> {
    body: Reader<'a>,
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
}

impl<'a> ScopeView<'a> {
    fn read(body: Reader<'a>) -> Result<ScopeView<'a>, Malformed> {
        let mut view = ScopeView { body, name: "", version: "", dropped_attributes_count: 0 };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (1, Value::Bytes(name)) => view.name = text(&name)?,
                (2, Value::Bytes(version)) => view.version = text(&version)?,
                (4, Value::Varint(count)) => view.dropped_attributes_count = low32(count),
                (1 | 2 | 4, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Items::new(self.body, 3, KeyValueView::read)
    }

    /// The message as it is in the request, unknown fields included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }
}
