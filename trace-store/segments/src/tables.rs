//! What many spans share: resources, scopes and operations, each known by an ordinal.
//!
//! Knows: how a resource or scope is framed as OTLP, and its service. Must not know: whether a head or a segment holds
//! the table.

use std::sync::Arc;

use bytes::Bytes;
use runtime_engine::{Error, Result};
use shared_proto::otlp::view::{ResourceSpansView, ScopeSpansView, TracesView};

use crate::names::{MISSING_SERVICE, service_of};
use crate::{Parsed, proto};

/// A resource with its schema.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// A `ResourceSpans` message without scopes.
    pub(crate) otlp: Bytes,
    /// Its service, as [`service_of`] names it.
    pub(crate) service: Arc<str>,
}

/// An instrumentation scope with its schema.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// A `ScopeSpans` message without spans.
    pub(crate) otlp: Bytes,
}

/// A name of spans in a service, with their kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Operation {
    pub(crate) service: Arc<str>,
    /// The span name as it came, maybe empty.
    pub(crate) name: Box<str>,
    pub(crate) kind: i32,
}

/// A count or a place as the 32-bit number that it is kept as.
///
/// # Errors
/// [`Error::Invalid`] from 4 billion on: records, tables and batches end long before.
pub(crate) fn ordinal(number: usize) -> Result<u32> {
    u32::try_from(number)
        .map_err(|e| Error::Invalid(format!("{number} of one kind in a head or a segment: {e}")))
}

/// Appends the part of a `ResourceSpans` message that all its spans share.
///
/// # Errors
/// [`Malformed`] when the resource cannot be read.
pub(crate) fn frame_resource(of: &ResourceSpansView<'_>, out: &mut Vec<u8>) -> Parsed<()> {
    if let Some(resource) = of.resource()? {
        proto::bytes(out, 1, resource.bytes());
    }
    proto::bytes_unless_empty(out, 3, of.schema_url().as_bytes());
    Ok(())
}

/// Appends the part of a `ScopeSpans` message that all its spans share.
///
/// # Errors
/// [`Malformed`] when the scope cannot be read.
pub(crate) fn frame_scope(of: &ScopeSpansView<'_>, out: &mut Vec<u8>) -> Parsed<()> {
    if let Some(scope) = of.scope()? {
        proto::bytes(out, 1, scope.bytes());
    }
    proto::bytes_unless_empty(out, 3, of.schema_url().as_bytes());
    Ok(())
}

impl Resource {
    /// Reads the service out of framed bytes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they are not a `ResourceSpans` message.
    pub(crate) fn new(otlp: Bytes) -> Result<Self> {
        let mut service = Arc::from(MISSING_SERVICE);
        with_resource(&otlp, &mut |view| {
            if let Some(resource) = view.resource()? {
                service = Arc::from(service_of(resource.attributes())?);
            }
            Ok(())
        })?;
        Ok(Self { otlp, service })
    }
}

/// Looks at a framed resource.
///
/// # Errors
/// [`Error::Corrupt`] when the bytes are not a `ResourceSpans` message.
pub(crate) fn with_resource(
    otlp: &[u8],
    look: &mut dyn FnMut(&ResourceSpansView<'_>) -> Parsed<()>,
) -> Result<()> {
    let mut framed = Vec::with_capacity(otlp.len() + 6);
    proto::bytes(&mut framed, 1, otlp);
    let seen = TracesView::new(&framed).resource_spans().try_for_each(|view| look(&view?));
    seen.map_err(|e| Error::corrupt("resource", e.to_string()))
}

/// Looks at a framed scope.
///
/// # Errors
/// [`Error::Corrupt`] when the bytes are not a `ScopeSpans` message.
pub(crate) fn with_scope(otlp: &[u8], look: &mut dyn FnMut(&ScopeSpansView<'_>) -> Parsed<()>) -> Result<()> {
    let mut resource = Vec::with_capacity(otlp.len() + 6);
    proto::bytes(&mut resource, 2, otlp);
    with_resource(&resource, &mut |view| view.scopes().try_for_each(|scope| look(&scope?)))
        .map_err(|e| Error::corrupt("scope", e.to_string()))
}
