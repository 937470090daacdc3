//! `yc-observability`: the whole stack, or `yc-observability <service>`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    yc_observability::main_from(std::env::args_os().skip(1).collect())
}
