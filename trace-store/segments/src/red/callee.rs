//! Callees that send no spans: databases, message brokers and whatever else a call says of its other end.
//!
//! Knows: the attributes that OpenTelemetry has for them. Must not know: whether such a call was answered by a span.
//! Start at [`named_by`].

use shared_proto::otlp::view::{AnyValueView, SpanView};

use super::query::Callee;
use crate::Parsed;

/// Longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 120;

#[derive(Default)]
struct Said<'a> {
    peer_service: &'a str,
    db_system: &'a str,
    db_namespace: &'a str,
    messaging_system: &'a str,
    destination: &'a str,
    address: &'a str,
}

/// What a span that calls says of its other end: what it is, and a name for it.
///
/// # Errors
/// [`crate::Malformed`] when its attributes cannot be read.
pub(crate) fn named_by(span: &SpanView<'_>) -> Parsed<Option<(Callee, String)>> {
    let mut said = Said::default();
    for attribute in span.attributes() {
        let attribute = attribute?;
        let AnyValueView::Str(value) = attribute.value else { continue };
        match attribute.key {
            "peer.service" => said.peer_service = value,
            "db.system.name" | "db.system" => said.db_system = value,
            "db.namespace" | "db.name" => said.db_namespace = value,
            "messaging.system" => said.messaging_system = value,
            "messaging.destination.name" => said.destination = value,
            "server.address" | "net.peer.name" => said.address = value,
            _ => {}
        }
    }
    let within = |whole: &str, part: &str| {
        if part.is_empty() { whole.to_owned() } else { format!("{whole}/{part}") }
    };
    let (callee, name) = if !said.db_system.is_empty() {
        (Callee::Database, within(said.db_system, said.db_namespace))
    } else if !said.messaging_system.is_empty() {
        (Callee::Messaging, within(said.messaging_system, said.destination))
    } else if said.peer_service.is_empty() {
        (Callee::External, said.address.to_owned())
    } else {
        (Callee::External, said.peer_service.to_owned())
    };
    Ok((!name.is_empty() && name.len() <= NAME_BYTES_MAX).then_some((callee, name)))
}
