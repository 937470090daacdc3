//! README's `console` blocks do what README says, except the set-up commands and docker.

use anyhow::{Context, Result, ensure};
use e2e::stack::{Stack, binary, root};
use tokio::process::Command;

/// Every `$ ` line of README's console blocks.
fn commands() -> Result<Vec<String>> {
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    let blocks = readme.split("```console\n").skip(1).filter_map(|b| b.split("```").next());
    Ok(blocks.flat_map(str::lines).filter_map(|l| l.strip_prefix("$ ")).map(ToOwned::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_blocks_of_the_readme_work() -> Result<()> {
    let commands = commands()?;
    ensure!(commands.len() > 3, "README has only {} commands", commands.len());
    let stack = Stack::start().await?;
    let bin_dir = binary()?.parent().context("no directory")?.to_owned();
    let path = format!("{}:{}", bin_dir.display(), std::env::var("PATH")?);
    let set_up = ["make ", "docker", "git "];
    for command in commands.iter().filter(|c| !set_up.iter().any(|s| c.starts_with(s))) {
        // README speaks of the default ports; this stack's are shifted
        let mut shifted = command.clone();
        for port in [3001, 4317, 4318, 16686, 17281, 17282, 8081, 8082, 8888, 13133] {
            shifted = shifted.replace(&format!(":{port}"), &format!(":{}", port + stack.port_offset));
        }
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &shifted]).env("PATH", &path).current_dir(root());
        let output = shell.output().await?;
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "README says `{command}`, which failed: {said}");
    }
    Ok(())
}
