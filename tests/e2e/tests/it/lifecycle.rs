//! Start, stop, and the errors of a wrong start: each names the culprit and what to do.

use std::process::Output;

use anyhow::Result;
use e2e::stack::{Stack, binary};
use tokio::process::Command;

async fn run(args: &[&str]) -> Result<Output> {
    Ok(Command::new(binary()?).args(args).kill_on_drop(true).output().await?)
}

/// Runs a start that must fail and returns what it said.
async fn refusal(args: &[&str]) -> Result<String> {
    let output = run(args).await?;
    assert!(!output.status.success(), "{args:?} should have failed");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout))
}

#[tokio::test]
async fn a_locked_data_directory_is_named() -> Result<()> {
    let stack = Stack::start().await?;
    let dir = stack.data_dir.display().to_string();
    let said = refusal(&["--data-dir", &dir, "--port-offset", "23"]).await?;
    assert!(said.contains(&dir), "{said}");
    assert!(said.contains("another process"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_taken_port_is_named() -> Result<()> {
    let stack = Stack::start().await?;
    let dir = tempfile::tempdir()?;
    let (dir, offset) = (dir.path().display().to_string(), stack.port_offset.to_string());
    let said = refusal(&["--data-dir", &dir, "--port-offset", &offset]).await?;
    let port_is_named = [3001, 4317, 4318, 17281, 17282, 16686, 8081, 8082, 13133, 8888]
        .iter()
        .any(|p: &u16| said.contains(&(p + stack.port_offset).to_string()));
    assert!(port_is_named && said.contains("--port-offset"), "{said}");
    Ok(())
}

#[tokio::test]
async fn an_unknown_config_key_is_named() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let config = dir.path().join("collector.yaml");
    let text = "receivers:\n  otlp:\n    protocols:\n      htttp:\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";
    std::fs::write(&config, text)?;
    let said = refusal(&["collector", "validate", "--config", &config.display().to_string()]).await?;
    assert!(said.contains("'protocols' has invalid keys: htttp"), "{said}");
    Ok(())
}

#[tokio::test]
async fn sigterm_drains_and_exits_with_zero() -> Result<()> {
    let mut stack = Stack::start().await?;
    assert!(stack.terminate().await?.success());
    Ok(())
}

#[tokio::test]
async fn every_service_answers_on_its_admin_port() -> Result<()> {
    let stack = Stack::start().await?;
    for port in [17282, 8081, 8082, 8888] {
        for path in ["/health", "/ready/read", "/ready/write", "/metrics", "/config", "/buildinfo"] {
            let url = format!("{}{path}", stack.url(port));
            let status = reqwest::get(&url).await?.status();
            assert_eq!(status, 200, "{url}");
        }
    }
    Ok(())
}
