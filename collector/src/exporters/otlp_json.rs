//! A batch as OTLP/JSON text, for exporters that people read.
//!
//! Knows: what to say when it cannot be written. Must not know: files, printers. Start at [`to_json`].

use runtime_service::{Kind, Status};
use shared_proto::otlp::json;

use crate::pipeline::Batch;

/// Appends one JSON object on one line, without a line end.
pub(super) fn to_json(batch: &Batch, out: &mut Vec<u8>) -> Result<(), Status> {
    json::encode(batch.signal, &batch.bytes, out).map_err(|error| {
        Status::new(Kind::Internal, format!("{} cannot be written as JSON: {error}", batch.signal))
    })
}
