//! The life of a process: load, build, start, wait, drain.
//!
//! Knows: the flags that all services share, exit codes. Must not know: any service. Start at [`run_main`].

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};
use futures_util::future::BoxFuture;

use crate::{Context, Inproc, Listen, Running, Shutdown, logs};

/// The process worked and drained.
const EXIT_OK: u8 = 0;
/// It could not start, broke, or a drain step missed its deadline.
const EXIT_FAILED: u8 = 1;
/// Flags or configuration are wrong.
const EXIT_CONFIG: u8 = 2;
/// A second signal ended the drain.
const EXIT_ABORTED: u8 = 130;

/// What a process calls itself.
#[derive(Debug, Clone)]
pub struct Program {
    /// Name of the service.
    pub name: &'static str,
    /// One line of help; may be empty.
    pub about: &'static str,
    /// Ways to call it, where it is more than `name [OPTIONS]`.
    pub usage: Option<&'static str>,
}

impl From<&'static str> for Program {
    fn from(name: &'static str) -> Self {
        Self { name, about: "A service of the YC Platform Observability Stack", usage: None }
    }
}

/// Flags that every service has.
#[derive(Debug, Clone, Parser)]
#[command(version, about = None, long_about = None)]
pub struct Args {
    /// Configuration file (YAML); may be repeated, later files win
    #[arg(long, value_name = "FILE")]
    pub config: Vec<PathBuf>,
    /// Sets one key, such as `--set retention=30d`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where everything on disk is kept
    #[arg(long, value_name = "DIR", default_value = "./data", env = "YC_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Addresses to listen on, such as `[::]`; loopback when not given
    #[arg(long, value_name = "ADDRESS", env = "YC_LISTEN")]
    pub listen: Option<Listen>,
    /// Shifts all ports of the stack
    #[arg(long, value_name = "N", default_value_t = 0, env = "YC_PORT_OFFSET")]
    pub port_offset: u16,
    /// Serves the web app below this path, such as `/obs`
    #[arg(long, value_name = "PATH", env = "YC_URL_PREFIX")]
    pub url_prefix: Option<String>,
    /// Checks configuration and flags, then exits
    #[arg(long)]
    pub check_config: bool,
    /// Format of log lines
    #[arg(long, value_enum, default_value = "text", env = "YC_LOG_FORMAT")]
    pub log_format: logs::Format,
    /// Log filter: a level, or `target=level,…`
    #[arg(long, value_name = "FILTER", default_value = "info", env = "YC_LOG")]
    pub log: String,
}

impl Program {
    fn parse(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
        let mut command = Args::command().name(self.name).bin_name(self.name).about(self.about);
        if let Some(usage) = self.usage {
            command = command.override_usage(usage);
        }
        let arguments = std::iter::once(OsString::from(self.name)).chain(arguments);
        Args::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

impl Args {
    /// The surroundings that these flags ask for.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            listen: self.listen.clone().unwrap_or_default(),
            port_offset: self.port_offset,
            data_dir: self.data_dir.clone(),
            inproc: Inproc::default(),
            shutdown: Shutdown::default(),
        }
    }
}

/// Runs a service with the process' own arguments: `load` reads its configuration, `build` binds and starts it.
pub fn run_main<C, L, B>(name: &'static str, load: L, build: B) -> ExitCode
where
    L: FnOnce(&Args) -> anyhow::Result<C>,
    B: FnOnce(C, Context) -> BoxFuture<'static, anyhow::Result<Running>>,
{
    run_main_from(name, std::env::args_os().skip(1), load, build)
}

/// Like [`run_main`] with arguments from elsewhere (without the program's name).
pub fn run_main_from<C, L, B, A>(program: impl Into<Program>, arguments: A, load: L, build: B) -> ExitCode
where
    A: IntoIterator<Item = OsString>,
    L: FnOnce(&Args) -> anyhow::Result<C>,
    B: FnOnce(C, Context) -> BoxFuture<'static, anyhow::Result<Running>>,
{
    let program = program.into();
    let name = program.name;
    let args = match program.parse(arguments) {
        Ok(args) => args,
        Err(e) => {
            let printed = e.print();
            return ExitCode::from(if e.use_stderr() || printed.is_err() { EXIT_CONFIG } else { EXIT_OK });
        }
    };
    if let Err(e) = logs::init(args.log_format, &args.log) {
        return ExitCode::from(complain(name, &anyhow::Error::new(e), EXIT_CONFIG));
    }
    let config = match load(&args) {
        Ok(config) => config,
        Err(e) => return ExitCode::from(complain(name, &e, EXIT_CONFIG)),
    };
    if args.check_config {
        say("configuration is valid");
        return ExitCode::from(EXIT_OK);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return ExitCode::from(complain(name, &anyhow::Error::new(e), EXIT_FAILED)),
    };
    let ctx = args.context();
    let shutdown = ctx.shutdown.clone();
    let code = runtime.block_on(live(name, build(config, ctx), shutdown));
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn live(name: &str, start: BoxFuture<'static, anyhow::Result<Running>>, shutdown: Shutdown) -> u8 {
    let signals = match shutdown.clone().follow_signals() {
        Ok(signals) => signals,
        Err(e) => return complain(name, &anyhow::Error::new(e), EXIT_FAILED),
    };
    let aborted = shutdown.aborted();
    let life = async move {
        let running = match start.await {
            Ok(running) => running,
            Err(e) => return complain(name, &e, EXIT_FAILED),
        };
        for address in &running.addresses {
            tracing::info!(what = address.what, url = address.url, "listening");
        }
        tracing::info!(service = running.name, "started");
        if let Some(banner) = &running.banner {
            say(banner);
        }
        shutdown.draining().await;
        let drained = running.drain().await;
        let clean = drained.failures.is_empty() && shutdown.failure().is_none();
        tracing::info!(clean, "stopped");
        if clean { EXIT_OK } else { EXIT_FAILED }
    };
    tokio::select! {
        code = life => code,
        () = aborted => EXIT_ABORTED,
        () = signals => EXIT_FAILED,
    }
}

fn complain(name: &str, error: &anyhow::Error, code: u8) -> u8 {
    let _nobody_left_to_tell = writeln!(std::io::stderr(), "{name}: {}", told(error));
    code
}

/// The error and its causes, without those that repeat what was said before.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if !text.contains(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    text
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _closed_by_the_reader = writeln!(out, "{text}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_that_repeat_are_told_once() {
        let cause = std::io::Error::other("lock is held");
        let error = anyhow::Error::new(cause).context("lock is held by 7").context("cannot open ./data");
        assert_eq!(told(&error), "cannot open ./data: lock is held by 7");
    }
}
