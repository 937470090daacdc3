//! Exporters: where data goes. One file (or folder) a type; `sending` is the queue and retry that network exporters
//! share, `otlp_json` the text form that `debug` and `file` print.

mod debug;
mod file;
mod otlp_grpc;
mod otlp_json;
mod sending;

pub(crate) use debug::DebugConfig;
pub(crate) use file::FileConfig;
pub(crate) use otlp_grpc::OtlpGrpcConfig;
