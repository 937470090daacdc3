//! The columns of a `spans` part: the fixed ones, and the attributes that have a column of their own.
//!
//! Knows: names, types and encodings (drawn in `docs/segment-format.md`). Must not know: rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

/// Version of the format, in every part's metadata under [`FORMAT_KEY`]. See `docs/segment-format.md`.
pub(crate) const FORMAT_VERSION: &str = "2";
/// Key of the format's version in a part's metadata.
pub(crate) const FORMAT_KEY: &str = "yc.segment.format";
/// Rows of a row group: 16 pages, few enough that a writer holds one row group in some 10 MB.
pub(crate) const ROW_GROUP_ROWS: usize = 131_072;
/// Rows of a page: what a read by id decodes at least.
pub(crate) const PAGE_ROWS: usize = 8_192;
/// How many attributes have columns of their own: an ordinal of them fits a byte, and footers stay small.
pub(crate) const DEDICATED_MAX: usize = 64;

/// Ordinals of the fixed columns of a `spans` part.
pub(crate) mod column {
    pub(crate) const TRACE_ID: usize = 0;
    pub(crate) const SPAN_ID: usize = 1;
    pub(crate) const PARENT_SPAN_ID: usize = 2;
    pub(crate) const START: usize = 3;
    pub(crate) const DURATION: usize = 4;
    pub(crate) const NAME: usize = 5;
    pub(crate) const KIND: usize = 6;
    pub(crate) const STATUS_CODE: usize = 7;
    pub(crate) const STATUS_MESSAGE: usize = 8;
    pub(crate) const TRACE_STATE: usize = 9;
    pub(crate) const FLAGS: usize = 10;
    pub(crate) const DROPPED_ATTRIBUTES: usize = 11;
    pub(crate) const DROPPED_EVENTS: usize = 12;
    pub(crate) const DROPPED_LINKS: usize = 13;
    pub(crate) const RESOURCE: usize = 14;
    pub(crate) const SCOPE: usize = 15;
    pub(crate) const ATTRIBUTE_ORDER: usize = 16;
    pub(crate) const ATTRIBUTES: usize = 17;
    pub(crate) const EVENTS: usize = 18;
    pub(crate) const LINKS: usize = 19;
    /// The first attribute with a column of its own.
    pub(crate) const DEDICATED: usize = 20;
}

/// The type of an attribute that has a column of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ValueType {
    String,
    Int,
    Double,
    Bool,
}

impl ValueType {
    const ALL: [Self; 4] = [Self::String, Self::Int, Self::Double, Self::Bool];

    fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Double => "double",
            Self::Bool => "bool",
        }
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Bool => DataType::Boolean,
        }
    }
}

/// An attribute of spans that has a column of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dedicated {
    pub(crate) value: ValueType,
    pub(crate) key: Box<str>,
}

impl Dedicated {
    /// `span/<type>/<key>`; the key may hold anything, slashes too.
    fn column_name(&self) -> String {
        format!("span/{}/{}", self.value.word(), self.key)
    }

    fn parse(column_name: &str) -> Option<Self> {
        let (word, key) = column_name.strip_prefix("span/")?.split_once('/')?;
        let value = ValueType::ALL.into_iter().find(|t| t.word() == word)?;
        Some(Self { value, key: key.into() })
    }
}

/// The columns of one segment.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) dedicated: Vec<Dedicated>,
    pub(crate) schema: SchemaRef,
    by_key: HashMap<Box<str>, [Option<u8>; 4]>,
}

impl Layout {
    /// A layout with these dedicated attributes; those beyond [`DEDICATED_MAX`] have no column.
    pub(crate) fn new(mut dedicated: Vec<Dedicated>) -> Self {
        dedicated.truncate(DEDICATED_MAX);
        let mut fields = fixed_fields();
        let mut by_key: HashMap<Box<str>, [Option<u8>; 4]> = HashMap::new();
        for (ordinal, attribute) in (0_u8..).zip(&dedicated) {
            fields.push(field(&attribute.column_name(), attribute.value.data_type(), true));
            let slots = by_key.entry(attribute.key.clone()).or_default();
            if let Some(slot) = slots.get_mut(attribute.value as usize) {
                *slot = Some(ordinal);
            }
        }
        Self { dedicated, schema: Arc::new(Schema::new(fields)), by_key }
    }

    /// The layout that a stored schema has, if it is one of ours.
    pub(crate) fn of_schema(schema: &Schema) -> Option<Self> {
        let names = schema.fields().get(column::DEDICATED..)?;
        let dedicated = names.iter().map(|f| Dedicated::parse(f.name())).collect::<Option<Vec<_>>>()?;
        let layout = Self::new(dedicated);
        (layout.schema.fields() == schema.fields()).then_some(layout)
    }

    /// The dedicated columns of a key.
    pub(crate) fn dedicated_of(&self, key: &str) -> impl Iterator<Item = (ValueType, u8)> {
        let columns = ValueType::ALL.into_iter().zip(self.columns_of(key));
        columns.filter_map(|(value, ordinal)| ordinal.map(|ordinal| (value, ordinal)))
    }

    /// The dedicated columns of a key, by [`ValueType`].
    pub(crate) fn columns_of(&self, key: &str) -> [Option<u8>; 4] {
        self.by_key.get(key).copied().unwrap_or_default()
    }
}

fn field(name: &str, data_type: DataType, nullable: bool) -> FieldRef {
    Arc::new(Field::new(name, data_type, nullable))
}

/// Attributes without a column of their own: exactly one of the value fields is set, none when there is no value.
pub(crate) fn attribute_fields() -> Fields {
    Fields::from(vec![
        field("key", DataType::Utf8, false),
        field("string", DataType::Utf8, true),
        field("int", DataType::Int64, true),
        field("double", DataType::Float64, true),
        field("bool", DataType::Boolean, true),
        field("any", DataType::Binary, true),
    ])
}

/// The item of a list, named as Parquet recommends.
pub(crate) fn item(fields: Fields) -> FieldRef {
    field("element", DataType::Struct(fields), false)
}

fn attributes_field() -> FieldRef {
    field("attributes", DataType::List(item(attribute_fields())), false)
}

pub(crate) fn event_fields() -> Fields {
    Fields::from(vec![
        field("time_unix_nano", DataType::UInt64, false),
        field("name", DataType::Utf8, false),
        field("dropped_attributes_count", DataType::UInt32, false),
        attributes_field(),
    ])
}

pub(crate) fn link_fields() -> Fields {
    Fields::from(vec![
        field("trace_id", DataType::Binary, false),
        field("span_id", DataType::Binary, false),
        field("trace_state", DataType::Utf8, false),
        field("flags", DataType::UInt32, false),
        field("dropped_attributes_count", DataType::UInt32, false),
        attributes_field(),
    ])
}

fn fixed_fields() -> Vec<FieldRef> {
    vec![
        field("trace_id", DataType::FixedSizeBinary(16), false),
        field("span_id", DataType::FixedSizeBinary(8), false),
        field("parent_span_id", DataType::FixedSizeBinary(8), true),
        field("start_unix_nano", DataType::UInt64, false),
        field("duration_nano", DataType::Int64, false),
        field("name", DataType::Utf8, false),
        field("kind", DataType::Int32, false),
        field("status_code", DataType::Int32, true),
        field("status_message", DataType::Utf8, true),
        field("trace_state", DataType::Utf8, false),
        field("flags", DataType::UInt32, false),
        field("dropped_attributes_count", DataType::UInt32, false),
        field("dropped_events_count", DataType::UInt32, false),
        field("dropped_links_count", DataType::UInt32, false),
        field("resource", DataType::UInt32, false),
        field("scope", DataType::UInt32, false),
        field("attribute_order", DataType::Binary, true),
        attributes_field(),
        field("events", DataType::List(item(event_fields())), false),
        field("links", DataType::List(item(link_fields())), false),
    ]
}

/// What all parts share: zstd-1, small dictionaries, the format's version.
///
/// # Errors
/// Never: level 1 exists.
pub(crate) fn properties() -> Result<WriterPropertiesBuilder, ParquetError> {
    let version = KeyValue::new(FORMAT_KEY.to_string(), FORMAT_VERSION.to_string());
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_data_page_row_count_limit(PAGE_ROWS)
        // row groups are ended by the writer itself, which has to know their numbers
        .set_max_row_group_row_count(Some(2 * ROW_GROUP_ROWS))
        // a read by id decodes whole dictionaries: those that grow past this are not worth one
        .set_dictionary_page_size_limit(128 * 1024)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("yc trace-segments ", env!("CARGO_PKG_VERSION")).to_string())
        .set_key_value_metadata(Some(vec![version])))
}

/// How the columns of a `spans` part are encoded.
///
/// # Errors
/// Never: level 1 exists.
pub(crate) fn spans_properties() -> Result<WriterProperties, ParquetError> {
    let ascending = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: false };
    let top = path_of;
    let mut properties = properties()?
        .set_sorting_columns(Some([0, 3, 1].map(ascending).to_vec()))
        .set_column_bloom_filter_enabled(top("trace_id"), true)
        .set_column_bloom_filter_fpp(top("trace_id"), 0.01)
        .set_column_bloom_filter_max_ndv(top("trace_id"), ROW_GROUP_ROWS as u64)
        .set_column_statistics_enabled(top("trace_id"), EnabledStatistics::Page)
        .set_column_dictionary_enabled(top("span_id"), false)
        .set_column_dictionary_enabled(top("parent_span_id"), false);
    for path in WITHOUT_STATISTICS {
        properties = properties.set_column_statistics_enabled(path_of(path), EnabledStatistics::None);
    }
    for list in ["attributes", "events.list.element.attributes", "links.list.element.attributes"] {
        for value in ["string", "int", "double", "bool", "any"] {
            let path = path_of(&format!("{list}.list.element.{value}"));
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    for path in UNCOMPRESSED {
        properties = properties.set_column_compression(path_of(path), Compression::UNCOMPRESSED);
    }
    for times in ["start_unix_nano", "duration_nano", "events.list.element.time_unix_nano"] {
        properties = as_deltas(properties, times);
    }
    for id in ["links.list.element.trace_id", "links.list.element.span_id"] {
        properties = properties.set_column_dictionary_enabled(path_of(id), false);
    }
    Ok(properties.build())
}

/// How the columns of a `traces` part are encoded.
///
/// # Errors
/// Never: level 1 exists.
pub(crate) fn traces_properties() -> Result<WriterProperties, ParquetError> {
    let properties = properties()?.set_column_dictionary_enabled(path_of("trace_id"), false);
    Ok(as_deltas(as_deltas(properties, "start_unix_nano"), "end_unix_nano").build())
}

/// How the columns of a `red` part are encoded.
///
/// # Errors
/// Never: level 1 exists.
pub(crate) fn red_properties() -> Result<WriterProperties, ParquetError> {
    Ok(as_deltas(properties()?, "duration_sum_nano").build())
}

/// Times and durations: no two are the same, but they are near each other.
fn as_deltas(properties: WriterPropertiesBuilder, column: &str) -> WriterPropertiesBuilder {
    properties
        .set_column_dictionary_enabled(path_of(column), false)
        .set_column_encoding(path_of(column), Encoding::DELTA_BINARY_PACKED)
}

/// Columns by whose bounds nobody looks for spans: they cost two comparisons a value.
const WITHOUT_STATISTICS: [&str; 10] = [
    "span_id",
    "parent_span_id",
    "status_message",
    "trace_state",
    "attribute_order",
    "events.list.element.name",
    "events.list.element.time_unix_nano",
    "links.list.element.trace_id",
    "links.list.element.span_id",
    "links.list.element.trace_state",
];

/// Columns whose encoding leaves nothing to compress (packed ordinals, deltas, random ids): a read by id would set up a
/// decompressor for each of them in vain, which costs more than decoding the page.
const UNCOMPRESSED: [&str; 20] = [
    "span_id",
    "parent_span_id",
    "start_unix_nano",
    "duration_nano",
    "kind",
    "status_code",
    "flags",
    "dropped_attributes_count",
    "dropped_events_count",
    "dropped_links_count",
    "resource",
    "scope",
    "events.list.element.time_unix_nano",
    "events.list.element.dropped_attributes_count",
    "links.list.element.trace_id",
    "links.list.element.span_id",
    "links.list.element.trace_state",
    "links.list.element.flags",
    "links.list.element.dropped_attributes_count",
    "attributes.list.element.bool",
];

fn path_of(dotted: &str) -> ColumnPath {
    ColumnPath::new(dotted.split('.').map(String::from).collect())
}
