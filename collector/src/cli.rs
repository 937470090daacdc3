//! The command line of the collector: `validate`, `components`, and running.
//!
//! Knows: commands and exit codes of the OpenTelemetry Collector. Must not know: components. Start at [`main_from`].

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use runtime_service::{Args, Context, run_main_from};

use crate::config::{Config, Sources};

#[derive(Debug, Parser)]
#[command(name = "collector")]
enum Command {
    /// Reads, checks and builds a configuration without starting anything; silent when it is valid
    Validate(Given),
    /// Lists the component types of this binary
    Components,
}

#[derive(Debug, clap::Args)]
struct Given {
    /// Configuration file, or `yaml:…`, `env:…`; may be repeated, later ones win
    #[arg(long, value_name = "URI")]
    config: Vec<String>,
    /// Sets one key, such as `--set exporters.debug.verbosity=normal`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// The whole program, with arguments that do not hold the program's name.
pub fn main_from(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = arguments.first().and_then(|first| first.to_str()).unwrap_or("");
    if matches!(command, "validate" | "components") {
        return offline(&arguments);
    }
    run_main_from(
        "collector",
        arguments,
        |args: &Args| Ok(Config::load(&Sources::from_args(args))?),
        |config, ctx| Box::pin(async move { crate::build(config, ctx).await?.start() }),
    )
}

fn offline(arguments: &[OsString]) -> ExitCode {
    let program = OsString::from("collector");
    let command = match Command::try_parse_from(std::iter::once(&program).chain(arguments)) {
        Ok(command) => command,
        Err(error) => {
            let printed = error.print();
            return if error.use_stderr() || printed.is_err() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match command {
        Command::Components => {
            let text = crate::components::listing(&crate::components::standard());
            let printed = std::io::stdout().lock().write_all(text.as_bytes());
            if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Command::Validate(given) => match validate(&given) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _closed_by_the_reader = writeln!(std::io::stderr(), "Error: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn validate(given: &Given) -> anyhow::Result<()> {
    let sources = Sources { uris: given.config.clone(), sets: given.set.clone(), variables: Vec::new() };
    let config = Config::load(&sources)?;
    crate::app::dry_run(&config, Context::new("./data"))
}
