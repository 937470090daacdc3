//! What a running Jaeger answered to the same spans and requests, when that data lies beside the repository.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use e2e::stack::{Stack, shared};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinSet;

const GROUPS: [&str; 8] =
    ["v1.trace", "v1.services", "v1.ops", "v1.search", "v1.deps", "v1.transform", "v3", "routes"];

async fn compare(dir: &Path, groups: &[&str], base: u64, otlp: &str, query: &str) -> Result<()> {
    let mut command = Command::new("python3");
    command.arg(dir.join("jaeger_diff.py")).arg("--replay").arg(dir.join("answers.jsonl.gz"));
    command.args(["--base", &base.to_string(), "--b-otlp", otlp, "--b-query", query]);
    for group in groups {
        command.args(["--only", group]);
    }
    let output = command.output().await?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    ensure!(output.status.success(), "answers differ from Jaeger's at level core");
    Ok(())
}

/// Says yes to every OTLP request and keeps nothing: the second comparison must not send its spans again.
async fn sink(tasks: &mut JoinSet<()>) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tasks.spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut buffer = vec![0; 1 << 20];
            let mut head = Vec::new();
            let mut body_left = 0usize;
            while let Ok(n @ 1..) = connection.read(&mut buffer).await {
                head.extend_from_slice(&buffer[..n]);
                while let Some(end) = head.windows(4).position(|w| w == b"\r\n\r\n") {
                    let text = String::from_utf8_lossy(&head[..end]).to_lowercase();
                    let length = text.split("content-length:").nth(1).and_then(|t| t.lines().next());
                    body_left += length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
                    if head.len() < end + 4 + body_left {
                        body_left = 0;
                        break;
                    }
                    head.drain(..end + 4 + body_left);
                    body_left = 0;
                    let yes = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                    connection.write_all(yes).await.expect("answer");
                }
            }
        }
    });
    Ok(address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_equal_jaegers_also_after_a_flush_and_a_restart() -> Result<()> {
    let Some(dir) = shared().map(|s| s.join("jaeger-answers")).filter(|d| d.is_dir()) else {
        println!(
            "NOT CHECKED: there is no ../shared/jaeger-answers beside the repository (SHARED_DIR overrides)"
        );
        return Ok(());
    };
    let mut stack = Stack::start().await?;
    let base = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() - 1500;
    let (otlp, query) = (stack.url(4318), stack.url(16686));
    compare(&dir, &GROUPS, base, &otlp, &query).await?;
    ensure!(stack.terminate().await?.success());
    stack.restart().await?;
    let mut tasks = JoinSet::new();
    let sink = format!("http://{}", sink(&mut tasks).await?);
    compare(&dir, &GROUPS, base, &sink, &query).await?;
    // what the receiver answers: a store of its own, because these requests add services
    let stack = Stack::start().await?;
    compare(&dir, &["otlp"], base, &stack.url(4318), &stack.url(16686)).await
}
