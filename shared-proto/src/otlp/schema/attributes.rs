//! Messages that all signals share.

use super::{Kind, Label, Message, Role, field};

pub(crate) static ANY_VALUE: Message = Message::new(
    Role::Part,
    &[
        field(1, "AnyValue.string_value", "stringValue", Kind::Text, Label::OneOf),
        field(2, "AnyValue.bool_value", "boolValue", Kind::Bool, Label::OneOf),
        field(3, "AnyValue.int_value", "intValue", Kind::Int64, Label::OneOf),
        field(4, "AnyValue.double_value", "doubleValue", Kind::Double, Label::OneOf),
        field(5, "AnyValue.array_value", "arrayValue", Kind::Message(&ARRAY_VALUE), Label::OneOf),
        field(6, "AnyValue.kvlist_value", "kvlistValue", Kind::Message(&KEY_VALUE_LIST), Label::OneOf),
        field(7, "AnyValue.bytes_value", "bytesValue", Kind::Bytes, Label::OneOf),
        field(8, "AnyValue.string_value_strindex", "stringValueStrindex", Kind::Int32, Label::OneOf),
    ],
);

static ARRAY_VALUE: Message = Message::new(
    Role::Part,
    &[field(1, "ArrayValue.values", "values", Kind::Message(&ANY_VALUE), Label::Many)],
);

static KEY_VALUE_LIST: Message = Message::new(
    Role::Part,
    &[field(1, "KeyValueList.values", "values", Kind::Message(&KEY_VALUE), Label::Many)],
);

pub(crate) static KEY_VALUE: Message = Message::new(
    Role::Part,
    &[
        field(1, "KeyValue.key", "key", Kind::Text, Label::One),
        field(2, "KeyValue.value", "value", Kind::Message(&ANY_VALUE), Label::One),
        field(3, "KeyValue.key_strindex", "keyStrindex", Kind::Int32, Label::One),
    ],
);

pub(super) static SCOPE: Message = Message::new(
    Role::Part,
    &[
        field(1, "InstrumentationScope.name", "name", Kind::Text, Label::One),
        field(2, "InstrumentationScope.version", "version", Kind::Text, Label::One),
        field(3, "InstrumentationScope.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(
            4,
            "InstrumentationScope.dropped_attributes_count",
            "droppedAttributesCount",
            Kind::UInt32,
            Label::One,
        ),
    ],
);

pub(super) static RESOURCE: Message = Message::new(
    Role::Part,
    &[
        field(1, "Resource.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(2, "Resource.dropped_attributes_count", "droppedAttributesCount", Kind::UInt32, Label::One),
        field(3, "Resource.entity_refs", "entityRefs", Kind::Message(&ENTITY_REF), Label::Many),
    ],
);

static ENTITY_REF: Message = Message::new(
    Role::Part,
    &[
        field(1, "EntityRef.schema_url", "schemaUrl", Kind::Text, Label::One),
        field(2, "EntityRef.type", "type", Kind::Text, Label::One),
        field(3, "EntityRef.id_keys", "idKeys", Kind::Text, Label::Many),
        field(4, "EntityRef.description_keys", "descriptionKeys", Kind::Text, Label::Many),
    ],
);
