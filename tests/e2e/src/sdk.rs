//! Runs the real SDKs of `tests/e2e/sdk`; `make sdk` installs them.
//!
//! Knows: where they are installed and how they are called. Must not know: what a store is. Start at [`run`].

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::stack::root;

/// An SDK program.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    /// `send.py`, OpenTelemetry Python.
    Python,
    /// `send.js`, OpenTelemetry JavaScript in Node.
    Node,
    /// `browser.js`, OpenTelemetry JavaScript in a page of another origin.
    Browser,
}

/// Runs a program to its end and returns what it says it sent: `{"failed": n, "spans": […]}`.
///
/// # Errors
/// When the SDK is not installed or the program fails.
pub async fn run(program: Program, args: &[&str]) -> Result<Value> {
    let sdk = root().join("tests/e2e/sdk");
    let (command, script, dir): (PathBuf, &str, PathBuf) = match program {
        Program::Python => (python(), "send.py", sdk.join("python")),
        Program::Node => ("node".into(), "send.js", sdk.join("node")),
        Program::Browser => ("node".into(), "browser.js", sdk.join("node")),
    };
    let output = Command::new(&command).arg(script).args(args).current_dir(dir).output().await;
    let output = output.with_context(|| format!("start {}: run `make sdk` first", command.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script} {args:?} failed: {said}");
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{script} printed no JSON; it said {said}"))
}

fn python() -> PathBuf {
    root().join("target/sdk/python/bin/python")
}
