//! Reading keys and values: tables first, then the newest spans of heads and segments.
//!
//! Knows: which columns. Must not know: what is made of them.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use parquet::arrow::ProjectionMask;
use runtime_engine::{Error, Result, Snapshot, Stop};
use shared_proto::otlp::view::{Attributes, EventView, KeyValueView, LinkView};

use super::{Counted, Found, Level};
use crate::proto::{self, span_field};
use crate::query::Cost;
use crate::query::text::text_of;
use crate::segment::{
    AttributesColumn, DedicatedValues, NARROW_ROWS, Scan, Segment, attributes_of_items, column, list,
    row_range, typed,
};
use crate::tables::{Resource, Scope, with_resource, with_scope};
use crate::{Parsed, Traces, View};

/// Segments by their last start.
pub(super) fn newest_first(snap: &Snapshot<Traces>) -> Vec<&Arc<Segment>> {
    let mut segments: Vec<&Arc<Segment>> = snap.objects.iter().collect();
    segments.sort_by_key(|segment| Reverse(segment.extra.start_max));
    segments
}

fn is_of(resource: &Resource, service: Option<&String>) -> bool {
    service.is_none_or(|service| **service == *resource.service)
}

fn keys_of_tables<'a>(
    resources: impl Iterator<Item = &'a Resource>,
    scopes: impl Iterator<Item = &'a Scope>,
    found: &mut Found<'_>,
) -> Result<()> {
    let service = found.wanted.service.as_ref();
    for resource in resources.filter(|resource| is_of(resource, service)) {
        with_resource(&resource.otlp, &mut |view| {
            view.resource()?
                .map_or(Ok(()), |r| each_key(r.attributes(), |key| found.note(key, Level::Resource)))
        })?;
    }
    for scope in scopes {
        with_scope(&scope.otlp, &mut |view| {
            view.scope()?.map_or(Ok(()), |s| each_key(s.attributes(), |key| found.note(key, Level::Scope)))
        })?;
    }
    Ok(())
}

fn each_key(attributes: Attributes<'_>, mut note: impl FnMut(&str)) -> Parsed<()> {
    for attribute in attributes {
        note(attribute?.key);
    }
    Ok(())
}

/// The newest records of a head, and in them the spans of resources that count, up to a bound.
fn each_span(
    head: &View,
    service: Option<&String>,
    left: &mut u64,
    cost: &mut Cost,
    mut look: impl FnMut(&[u8], u32, u32) -> Parsed<()>,
) -> Result<()> {
    for at in (0..head.len()).rev() {
        for record in head.records(at..at + 1) {
            for reference in &record.spans {
                if *left == 0 {
                    return Ok(());
                }
                *left -= 1;
                cost.spans += 1;
                if head.resource(reference.resource).is_some_and(|resource| is_of(resource, service)) {
                    let looked = look(record.span_bytes(reference), reference.resource, reference.scope);
                    looked.map_err(|e| Error::corrupt("log record", e.to_string()))?;
                }
            }
        }
    }
    Ok(())
}

pub(super) fn keys_of_head(head: &View, found: &mut Found<'_>, cost: &mut Cost) -> Result<()> {
    let resources = (0..).map_while(|i| head.resource(i));
    keys_of_tables(resources, (0..).map_while(|i| head.scope(i)), found)?;
    let (service, mut left) = (found.wanted.service.clone(), found.left);
    each_span(head, service.as_ref(), &mut left, cost, |span, _, _| {
        for (field, body) in proto::messages(span) {
            match field {
                span_field::ATTRIBUTE => found.note(KeyValueView::parse(body)?.key, Level::Span),
                span_field::EVENT => {
                    each_key(EventView::parse(body)?.attributes(), |key| found.note(key, Level::Event))?;
                }
                span_field::LINK => {
                    each_key(LinkView::parse(body)?.attributes(), |key| found.note(key, Level::Link))?;
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    found.left = left;
    Ok(())
}

/// Row groups that have spans of the service, the last first.
fn row_groups(segment: &Segment, service: Option<&String>) -> Vec<usize> {
    let operations = segment.tables.operations.iter();
    let of_service = operations.filter(|(o, _)| service.is_none_or(|service| **service == *o.service));
    let mut groups: Vec<usize> = of_service.flat_map(|(_, groups)| groups).map(|g| *g as usize).collect();
    groups.sort_unstable_by_key(|group| Reverse(*group));
    groups.dedup();
    groups
}

/// Whether a row group has any value in an own column.
fn has_values(segment: &Segment, group: usize, root: usize) -> bool {
    let group = segment.spans.metadata.metadata().row_groups().get(group);
    let leaf = segment.spans.leaf_of(root);
    let chunk = group.zip(leaf).and_then(|(group, leaf)| group.columns().get(leaf));
    chunk.is_some_and(|chunk| {
        let nulls = chunk.statistics().and_then(|s| s.null_count_opt());
        nulls.is_none_or(|nulls| u64::try_from(chunk.num_values()) != Ok(nulls))
    })
}

pub(super) fn keys_of_segment(
    segment: &Segment,
    found: &mut Found<'_>,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<()> {
    keys_of_tables(segment.tables.resources.iter(), segment.tables.scopes.iter(), found)?;
    let service = found.wanted.service.clone();
    let groups = row_groups(segment, service.as_ref());
    for (at, own) in segment.layout.dedicated.iter().enumerate() {
        if groups.iter().any(|group| has_values(segment, *group, column::DEDICATED + at)) {
            found.note(&own.key, Level::Span);
        }
    }
    let leaves =
        [segment.keys.list, segment.keys.events, segment.keys.links, segment.spans.leaf_of(column::RESOURCE)];
    let projection =
        ProjectionMask::leaves(segment.spans.metadata.parquet_schema(), leaves.into_iter().flatten());
    let mut counted = false;
    for group in groups {
        let mut batches = segment.spans.scan(Scan {
            row_groups: vec![group],
            projection: projection.clone(),
            selection: None,
            filter: None,
            batch_rows: NARROW_ROWS,
        })?;
        while found.left > 0
            && let Some(batch) = batches.next(cost)?
        {
            if stop.is_stopped() {
                return Err(Error::Stopped);
            }
            cost.objects += u64::from(!std::mem::replace(&mut counted, true));
            cost.spans += batch.num_rows() as u64;
            found.left = found.left.saturating_sub(batch.num_rows() as u64);
            keys_of_batch(segment, &batch, found)?;
        }
    }
    Ok(())
}

fn keys_of_batch(segment: &Segment, batch: &RecordBatch, found: &mut Found<'_>) -> Result<()> {
    let resources: &UInt32Array = typed(batch.column_by_name("resource"), "resource")?;
    let service = found.wanted.service.clone();
    let mut note_all = |items: std::ops::Range<usize>, keys: &StringArray, level: Level| {
        items.filter(|item| *item < keys.len()).for_each(|item| found.note(keys.value(item), level));
    };
    let (rows, columns) = list(batch.column_by_name("attributes"), "attributes")?;
    let keys: &StringArray = typed(columns.first(), "attributes.key")?;
    let nested = |name: &'static str| -> Result<(&[i32], &[i32], &StringArray)> {
        let (rows, items) = list(batch.column_by_name(name), name)?;
        let (attributes, columns) = list(items.last(), name)?;
        Ok((rows, attributes, typed(columns.first(), name)?))
    };
    let (events, links) = (nested("events")?, nested("links")?);
    for row in 0..batch.num_rows() {
        if !is_of(segment.resource(resources.value(row))?, service.as_ref()) {
            continue;
        }
        note_all(row_range(rows, row), keys, Level::Span);
        for ((rows, attributes, keys), level) in [(events, Level::Event), (links, Level::Link)] {
            for item in row_range(rows, row) {
                note_all(row_range(attributes, item), keys, level);
            }
        }
    }
    Ok(())
}

/// The texts that resources and scopes have under the key, by ordinal.
struct Shared {
    /// `None` = spans of this resource do not count.
    resources: Vec<Option<Vec<String>>>,
    scopes: Vec<Vec<String>>,
}

impl Shared {
    fn new<'a>(
        resources: impl Iterator<Item = &'a Resource>,
        scopes: impl Iterator<Item = &'a Scope>,
        counted: &Counted<'_>,
    ) -> Result<Self> {
        let texts = |attributes: Option<Attributes<'_>>| -> Parsed<Vec<String>> {
            let mut texts = Vec::new();
            for attribute in attributes.into_iter().flatten() {
                let attribute = attribute?;
                if attribute.key == counted.key {
                    texts.push(text_of(&attribute.value));
                }
            }
            Ok(texts)
        };
        let of_resource = |resource: &Resource| {
            let mut found = Vec::new();
            with_resource(&resource.otlp, &mut |view| {
                found = texts(view.resource()?.map(|r| r.attributes()))?;
                Ok(())
            })?;
            Ok(is_of(resource, counted.wanted.service.as_ref()).then_some(found))
        };
        let of_scope = |scope: &Scope| {
            let mut found = Vec::new();
            with_scope(&scope.otlp, &mut |view| {
                found = texts(view.scope()?.map(|s| s.attributes()))?;
                Ok(())
            })?;
            Ok(found)
        };
        Ok(Self {
            resources: resources.map(of_resource).collect::<Result<_>>()?,
            scopes: scopes.map(of_scope).collect::<Result<_>>()?,
        })
    }

    /// What the surroundings of a span say; `None` when it does not count.
    fn texts(&self, resource: u32, scope: u32) -> Option<Vec<String>> {
        let mut texts = self.resources.get(resource as usize)?.clone()?;
        texts.extend(self.scopes.get(scope as usize).into_iter().flatten().cloned());
        Some(texts)
    }
}

pub(super) fn values_of_head(head: &View, counted: &mut Counted<'_>, cost: &mut Cost) -> Result<()> {
    let resources = (0..).map_while(|i| head.resource(i));
    let shared = Shared::new(resources, (0..).map_while(|i| head.scope(i)), counted)?;
    let (service, mut left) = (counted.wanted.service.clone(), counted.left);
    each_span(head, service.as_ref(), &mut left, cost, |span, resource, scope| {
        let Some(mut texts) = shared.texts(resource, scope) else { return Ok(()) };
        let mut look = |attribute: KeyValueView<'_>| {
            if attribute.key == counted.key {
                texts.push(text_of(&attribute.value));
            }
        };
        for (field, body) in proto::messages(span) {
            match field {
                span_field::ATTRIBUTE => look(KeyValueView::parse(body)?),
                span_field::EVENT => {
                    for attribute in EventView::parse(body)?.attributes() {
                        look(attribute?);
                    }
                }
                span_field::LINK => {
                    for attribute in LinkView::parse(body)?.attributes() {
                        look(attribute?);
                    }
                }
                _ => {}
            }
        }
        counted.note(&mut texts);
        Ok(())
    })?;
    counted.left = left;
    Ok(())
}

pub(super) fn values_of_segment(
    segment: &Segment,
    counted: &mut Counted<'_>,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<()> {
    let shared = Shared::new(segment.tables.resources.iter(), segment.tables.scopes.iter(), counted)?;
    let own = segment.layout.dedicated_of(counted.key);
    let own: Vec<usize> = own.map(|(_, at)| column::DEDICATED + usize::from(at)).collect();
    let mut roots = vec![column::RESOURCE, column::SCOPE, column::ATTRIBUTES, column::EVENTS, column::LINKS];
    roots.extend(&own);
    let is_seen = &mut false;
    for group in row_groups(segment, counted.wanted.service.as_ref()) {
        let mut batches = segment.spans.scan(Scan {
            row_groups: vec![group],
            projection: segment.spans.projection(roots.iter().copied()),
            selection: None,
            filter: None,
            batch_rows: NARROW_ROWS,
        })?;
        while counted.left > 0
            && let Some(batch) = batches.next(cost)?
        {
            if stop.is_stopped() {
                return Err(Error::Stopped);
            }
            cost.objects += u64::from(!std::mem::replace(is_seen, true));
            cost.spans += batch.num_rows() as u64;
            counted.left = counted.left.saturating_sub(batch.num_rows() as u64);
            values_of_batch(&batch, &shared, counted)?;
        }
    }
    Ok(())
}

fn values_of_batch(batch: &RecordBatch, shared: &Shared, counted: &mut Counted<'_>) -> Result<()> {
    // columns come in the order of the schema: resource, scope, attributes, events, links, own columns
    let columns: &[ArrayRef] = batch.columns();
    let resources: &UInt32Array = typed(columns.first(), "resource")?;
    let scopes: &UInt32Array = typed(columns.get(1), "scope")?;
    let attributes = AttributesColumn::new(columns.get(2), "attributes")?;
    let nested =
        [attributes_of_items(columns.get(3), "events")?, attributes_of_items(columns.get(4), "links")?];
    let own = columns.get(5..).unwrap_or_default().iter().map(DedicatedValues::new);
    let own = own.collect::<Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        let Some(mut texts) = shared.texts(resources.value(row), scopes.value(row)) else { continue };
        texts.extend(own.iter().filter_map(|values| values.value(row)).map(|value| text_of(&value)));
        let mut look = |attributes: &AttributesColumn<'_>, of: usize| -> Result<()> {
            for item in attributes.row(of).filter(|item| attributes.key(*item) == counted.key) {
                texts.push(text_of(&attributes.value(item)?));
            }
            Ok(())
        };
        look(&attributes, row)?;
        for (rows, attributes) in &nested {
            row_range(rows, row).try_for_each(|item| look(attributes, item))?;
        }
        counted.note(&mut texts);
    }
    Ok(())
}
