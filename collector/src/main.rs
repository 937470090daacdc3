//! The collector as a process of its own.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    collector::main_from(std::env::args_os().skip(1))
}
