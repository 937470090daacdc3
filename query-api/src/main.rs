//! The query-api process.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    query_api::main_from(std::env::args_os().skip(1))
}
