//! Any bytes as an OTLP/JSON request of any signal: `cargo +nightly fuzz run json`.
#![no_main]

#[path = "../../tests/it/bodies.rs"]
#[allow(dead_code, reason = "each target uses its own body")]
mod bodies;

use libfuzzer_sys::fuzz_target;
use shared_proto::otlp::Signal;

fuzz_target!(|data: &[u8]| {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        bodies::json(signal, data);
    }
});
