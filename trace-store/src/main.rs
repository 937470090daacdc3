//! The trace-store process.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    trace_store::main_from(std::env::args_os().skip(1))
}
