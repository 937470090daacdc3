//! Old clients send IPv4 addresses as numbers; readers get them dotted.
//!
//! Knows: the two keys. Must not know: IPv6, which nobody sent as a number. Start at [`normalize`].

use std::net::Ipv4Addr;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::trace::{Trace, attributes};

/// Rewrites numeric `ip` and `peer.ipv4` attributes of spans and resources.
pub(crate) fn normalize(trace: &mut Trace) {
    for resource in &mut trace.resources {
        resource.resource.iter_mut().flat_map(|r| &mut r.attributes).for_each(dotted);
    }
    trace.spans_mut().flat_map(|span| &mut span.attributes).for_each(dotted);
}

fn dotted(attribute: &mut KeyValue) {
    if attribute.key != "ip" && attribute.key != "peer.ipv4" {
        return;
    }
    let number = match attributes::value(attribute) {
        Some(Value::IntValue(number)) => low_half(*number),
        Some(Value::DoubleValue(number)) if number.is_finite() => low_half(truncated(*number)),
        _ => return,
    };
    attribute.value = Some(attributes::text_value(Ipv4Addr::from(number).to_string()));
}

fn low_half(number: i64) -> [u8; 4] {
    let [a, b, c, d, ..] = number.to_le_bytes();
    [d, c, b, a]
}

#[expect(clippy::cast_possible_truncation, reason = "a float to integer cast saturates, as wanted")]
fn truncated(number: f64) -> i64 {
    number as i64
}
