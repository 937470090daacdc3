//! Attributes that describe the SDK belong to the resource, wherever a client put them.
//!
//! Knows: the five keys of the semantic conventions. Must not know: what SDKs exist. Start at [`move_to_resource`].

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::trace::{Trace, attributes, warnings};

const KEYS: [&str; 5] = [
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "telemetry.distro.name",
    "telemetry.distro.version",
];

/// Moves them; where span and resource disagree, both keep theirs and the span is warned.
pub(crate) fn move_to_resource(trace: &mut Trace) {
    for resource in &mut trace.resources {
        let to = resource.resource.get_or_insert_with(Resource::default);
        for span in resource.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
            move_from(span, to);
        }
    }
}

fn move_from(span: &mut Span, to: &mut Resource) {
    let is_library = |a: &KeyValue| KEYS.contains(&a.key.as_str());
    if !span.attributes.iter().any(is_library) {
        return;
    }
    let mut conflicts = Vec::new();
    span.attributes.retain(|attribute| {
        if !is_library(attribute) {
            return true;
        }
        match attributes::get(&to.attributes, &attribute.key) {
            Some(there) if !equal_texts(there, attribute) => {
                conflicts.push(attribute.key.clone());
                true
            }
            Some(_) => false,
            None => {
                to.attributes.push(attribute.clone());
                false
            }
        }
    });
    for key in conflicts {
        warnings::add(span, &format!("conflicting values between Span and Resource for attribute {key}"));
    }
}

fn equal_texts(a: &KeyValue, b: &KeyValue) -> bool {
    match (attributes::value(a), attributes::value(b)) {
        (Some(Value::StringValue(a)), Some(Value::StringValue(b))) => a == b,
        _ => false,
    }
}
