//! Extensions: what a collector does beside its pipelines. One file a type.

mod health_check;

pub(crate) use health_check::HealthCheckConfig;
