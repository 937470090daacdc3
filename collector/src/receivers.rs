//! Receivers: where data comes in. One file (or folder) a type.

mod otlp;

pub(crate) use otlp::OtlpConfig;
