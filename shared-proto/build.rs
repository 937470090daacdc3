//! Generates `trace_store.v1` from `proto/` with `protox`: no `protoc` is needed to build.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(["proto/trace_store.proto"], ["proto"])?;
    println!("cargo:rerun-if-changed=proto");
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
