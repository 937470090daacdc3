//! What the payload of a log record is.
//!
//! Knows: the numbers of `docs/wire.md`, "Encodings". Must not know: how a record is framed.

/// One partition's part of a traces request: bytes of `opentelemetry.proto.trace.v1.TracesData`.
pub const OTLP_TRACES: u8 = 1;
