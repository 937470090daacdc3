//! Any bytes as a protobuf request of any signal: `cargo +nightly fuzz run admit_split`.
#![no_main]

#[path = "../../tests/it/bodies.rs"]
#[allow(dead_code, reason = "each target uses its own body")]
mod bodies;

use libfuzzer_sys::fuzz_target;
use shared_proto::otlp::Signal;

fuzz_target!(|data: &[u8]| {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        bodies::admit_split(signal, data);
    }
});
