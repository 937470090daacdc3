//! The dashboard-gateway process.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    dashboard_gateway::main_from(std::env::args_os().skip(1))
}
