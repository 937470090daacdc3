//! What the services say to each other.
//!
//! Knows: OTLP bytes, our own gRPC surface (`trace_store.v1`), the partition hash and the encodings of log records.
//! Must not know: how anything is stored, sent or served.
//! Start at [`otlp`]; every layout and text that crosses a wire is written down in `docs/wire.md`.

pub mod codec;
pub mod durations;
pub mod encoding;
pub mod hash;
pub mod otlp;
pub mod trace_store;
