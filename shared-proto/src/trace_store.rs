//! Reads of the trace store, generated from `proto/trace_store.proto`.
//!
//! Knows: the messages, client and server of `trace_store.v1`. Must not know: what stands behind them.
//! Start at the `.proto`: its comments are the documentation.

/// Version 1 of the protocol: messages, `trace_store_client` and `trace_store_server`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::too_many_lines,
    clippy::wildcard_imports,
    clippy::allow_attributes_without_reason,
    reason = "generated code; the .proto documents it"
)]
pub mod v1 {
    tonic::include_proto!("trace_store.v1");
}
