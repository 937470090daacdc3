//! The `tables` part: the resources, scopes and operations that the rows of a segment refer to.
//!
//! Knows: how the tables are stored. Must not know: spans. Resident while the segment is open.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Int32Builder, ListBuilder, StringBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type};
use arrow_array::{ArrayRef, BinaryArray, ListArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use runtime_engine::{Error, Result};

use super::attributes::typed;
use crate::Built;
use crate::tables::{Operation, Resource, Scope, ordinal};

const RESOURCE: &str = "resource";
const SCOPE: &str = "scope";
const OPERATION: &str = "operation";

/// The tables of an open segment.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) resources: Vec<Resource>,
    pub(crate) scopes: Vec<Scope>,
    /// Sorted; with the row groups that have such spans.
    pub(crate) operations: Vec<(Operation, Vec<u32>)>,
}

/// The tables of a segment being written.
#[derive(Debug, Default)]
pub(crate) struct TablesBuilder {
    tables: Tables,
    resources: HashMap<Bytes, u32>,
    scopes: HashMap<Bytes, u32>,
    /// (resource, kind, name) → ordinal, row groups.
    operations: HashMap<Box<[u8]>, (u32, Vec<u32>)>,
    scratch: Vec<u8>,
}

impl TablesBuilder {
    /// The ordinal of a resource, known or new.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn resource(&mut self, resource: &Resource) -> Result<u32> {
        if let Some(&known) = self.resources.get(&resource.otlp) {
            return Ok(known);
        }
        let new = ordinal(self.tables.resources.len())?;
        self.tables.resources.push(resource.clone());
        self.resources.insert(resource.otlp.clone(), new);
        Ok(new)
    }

    /// The ordinal of a scope, known or new.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn scope(&mut self, scope: &Scope) -> Result<u32> {
        if let Some(&known) = self.scopes.get(&scope.otlp) {
            return Ok(known);
        }
        let new = ordinal(self.tables.scopes.len())?;
        self.tables.scopes.push(scope.clone());
        self.scopes.insert(scope.otlp.clone(), new);
        Ok(new)
    }

    /// The service of a resource.
    pub(crate) fn service(&self, resource: u32) -> Option<&Arc<str>> {
        self.tables.resources.get(resource as usize).map(|r| &r.service)
    }

    /// A resource by its ordinal.
    pub(crate) fn resource_at(&self, ordinal: u32) -> Option<&Resource> {
        self.tables.resources.get(ordinal as usize)
    }

    /// Notes that a row group has a span of this operation; the ordinal of the operation, by when it was first seen.
    pub(crate) fn operation(&mut self, resource: u32, name: &str, kind: i32, row_group: u32) -> u32 {
        self.scratch.clear();
        self.scratch.extend_from_slice(&resource.to_le_bytes());
        self.scratch.extend_from_slice(&kind.to_le_bytes());
        self.scratch.extend_from_slice(name.as_bytes());
        if let Some((ordinal, groups)) = self.operations.get_mut(self.scratch.as_slice()) {
            if groups.last() != Some(&row_group) {
                groups.push(row_group);
            }
            return *ordinal;
        }
        let new = u32::try_from(self.operations.len()).unwrap_or(u32::MAX);
        self.operations.insert(self.scratch.as_slice().into(), (new, vec![row_group]));
        new
    }

    /// The finished tables.
    pub(crate) fn finish(self) -> Tables {
        let mut tables = self.tables;
        let mut operations: BTreeMap<Operation, BTreeSet<u32>> = BTreeMap::new();
        for (key, (_, groups)) in self.operations {
            let Some((resource, rest)) = key.split_first_chunk::<4>() else { continue };
            let Some((kind, name)) = rest.split_first_chunk::<4>() else { continue };
            let service = tables.resources.get(u32::from_le_bytes(*resource) as usize);
            let Some(service) = service.map(|r| Arc::clone(&r.service)) else { continue };
            let name = String::from_utf8_lossy(name).into_owned().into_boxed_str();
            let operation = Operation { service, name, kind: i32::from_le_bytes(*kind) };
            operations.entry(operation).or_default().extend(groups);
        }
        tables.operations =
            operations.into_iter().map(|(o, groups)| (o, groups.into_iter().collect())).collect();
        tables
    }
}

pub(crate) fn schema() -> SchemaRef {
    let groups = Field::new("element", DataType::UInt32, false);
    Arc::new(Schema::new(vec![
        Field::new("table", DataType::Utf8, false),
        Field::new("ordinal", DataType::UInt32, false),
        Field::new("service", DataType::Utf8, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("kind", DataType::Int32, true),
        Field::new("row_groups", DataType::List(Arc::new(groups)), false),
        Field::new("otlp", DataType::Binary, true),
    ]))
}

impl Tables {
    /// The tables as one batch.
    ///
    /// # Errors
    /// Never for tables that fit in memory.
    pub(crate) fn batch(&self) -> Built<RecordBatch> {
        let mut table = StringBuilder::new();
        let mut ordinals = UInt32Builder::new();
        let mut service = StringBuilder::new();
        let mut name = StringBuilder::new();
        let mut kind = Int32Builder::new();
        let element = Field::new("element", DataType::UInt32, false);
        let mut groups = ListBuilder::new(UInt32Builder::new()).with_field(element);
        let mut otlp = BinaryBuilder::new();
        let resources = self.resources.iter().map(|r| (RESOURCE, Some(&r.service), Some(&r.otlp), None));
        let scopes = self.scopes.iter().map(|s| (SCOPE, None, Some(&s.otlp), None));
        let operations = self.operations.iter().map(|o| (OPERATION, Some(&o.0.service), None, Some(o)));
        let numbered = (0..).zip(resources).chain((0..).zip(scopes)).chain((0..).zip(operations));
        for (number, (which, of_service, message, operation)) in numbered {
            table.append_value(which);
            ordinals.append_value(number);
            service.append_option(of_service);
            name.append_option(operation.map(|(o, _)| &o.name));
            kind.append_option(operation.map(|(o, _)| o.kind));
            groups.append_value(
                operation.map(|(_, groups)| groups.as_slice()).unwrap_or_default().iter().map(|g| Some(*g)),
            );
            otlp.append_option(message);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(table.finish()),
            Arc::new(ordinals.finish()),
            Arc::new(service.finish()),
            Arc::new(name.finish()),
            Arc::new(kind.finish()),
            Arc::new(groups.finish()),
            Arc::new(otlp.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }

    /// Adds the rows of a stored batch.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they are not in order or name an unknown table.
    pub(crate) fn extend(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns();
        let table: &StringArray = typed(columns.first(), "table")?;
        let ordinals: &UInt32Array = typed(columns.get(1), "ordinal")?;
        let service: &StringArray = typed(columns.get(2), "service")?;
        let name: &StringArray = typed(columns.get(3), "name")?;
        let kind = columns.get(4).and_then(|c| c.as_primitive_opt::<Int32Type>());
        let groups: &ListArray = typed(columns.get(5), "row_groups")?;
        let otlp: &BinaryArray = typed(columns.get(6), "otlp")?;
        for row in 0..batch.num_rows() {
            let message = || Bytes::copy_from_slice(otlp.value(row));
            let known = match table.value(row) {
                RESOURCE => {
                    self.resources.push(Resource::new(message())?);
                    self.resources.len()
                }
                SCOPE => {
                    self.scopes.push(Scope { otlp: message() });
                    self.scopes.len()
                }
                OPERATION => {
                    let service = Arc::from(service.value(row));
                    let kind = kind.map(|kind| kind.value(row)).unwrap_or_default();
                    let operation = Operation { service, name: name.value(row).into(), kind };
                    let groups =
                        groups.value(row).as_primitive_opt::<UInt32Type>().map(|g| g.values().to_vec());
                    self.operations.push((operation, groups.unwrap_or_default()));
                    self.operations.len()
                }
                other => {
                    return Err(Error::corrupt("segment tables", format!("row {row} is of table {other:?}")));
                }
            };
            if u32::try_from(known) != Ok(ordinals.value(row) + 1) {
                return Err(Error::corrupt("segment tables", format!("row {row} is not in order")));
            }
        }
        Ok(())
    }
}
