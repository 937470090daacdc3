//! The built binary: flags, signals, exit codes, ports.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::stack::http;

const DEADLINE: Duration = Duration::from_secs(60);
const PORTS: [u16; 10] = [3001, 4317, 4318, 8081, 8082, 8888, 13133, 16686, 17281, 17282];
/// Tests of one process run side by side.
static NEXT: AtomicU16 = AtomicU16::new(0);

fn run(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_yc-observability")).args(flags).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An offset at which every port of the stack is free now, all below the range that the kernel hands out by itself.
fn free_offset() -> u16 {
    let is_free = |offset: u16| PORTS.iter().all(|p| TcpListener::bind(("127.0.0.1", p + offset)).is_ok());
    let tried: u16 = (std::process::id() % 200).try_into().unwrap();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut candidates = (0..200).map(|n| 1000 + ((tried + next * 7 + n) % 200) * 67);
    candidates.find(|offset| is_free(*offset)).expect("an offset with free ports")
}

struct Stack {
    child: Child,
    banner: String,
    offset: u16,
}

impl Stack {
    /// Starts the binary and reads its banner.
    fn start(dir: &std::path::Path) -> Self {
        let offset = free_offset();
        let mut child = Command::new(env!("CARGO_BIN_EXE_yc-observability"))
            .args(["--port-offset", &offset.to_string(), "--data-dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.as_mut().unwrap());
        let mut banner = String::new();
        for line in out.lines() {
            let line = line.unwrap();
            banner.push_str(&line);
            banner.push('\n');
            if line.contains("Ctrl-C") {
                break;
            }
        }
        assert!(banner.contains("Ctrl-C"), "no banner, but: {banner}");
        Self { child, banner, offset }
    }

    fn url(&self, port: u16) -> String {
        format!("http://127.0.0.1:{}", port + self.offset)
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    async fn ended(mut self) -> i32 {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            assert!(started.elapsed() < DEADLINE, "still running");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

#[tokio::test]
async fn the_stack_starts_without_flags_but_ports_serves_all_of_them_and_drains_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let stack = Stack::start(dir.path());
    let ready = started.elapsed();
    println!("from start of the process to its banner: {ready:?} (target 150 ms in a release build)");
    assert!(ready < Duration::from_secs(10));
    for (port, path, status) in [
        (4317, "/v1/traces", 405),
        (4318, "/v1/traces", 405),
        (13133, "/", 200),
        (8888, "/metrics", 200),
        (17282, "/health", 200),
        (17282, "/ready/write", 200),
        (16686, "/api/services", 200),
        (8081, "/health", 200),
        (3001, "/api/health", 200),
        (3001, "/api/users", 401),
        (8082, "/health", 200),
    ] {
        let (got, body) = http(&stack.url(port), "GET", path, "").await;
        assert_eq!(got, status, "{port}{path}: {body}");
    }
    tokio::net::TcpStream::connect(("127.0.0.1", 17281 + stack.offset)).await.unwrap();
    let open = format!("open http://localhost:{}/ and log in as admin / admin", 3001 + stack.offset);
    assert!(stack.banner.contains(&open), "{}", stack.banner);
    for port in [3001, 4317, 4318, 16686] {
        let url = stack.url(port);
        assert!(stack.banner.contains(&url), "{url} is not in\n{}", stack.banner);
    }
    stack.signal("TERM");
    assert_eq!(stack.ended().await, 0);
}

#[tokio::test]
async fn a_taken_port_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::start(dir.path());
    let other = tempfile::tempdir().unwrap();
    let offset = stack.offset.to_string();
    let output = run(&["--port-offset", &offset, "--data-dir", other.path().to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("is taken") && said.contains("--port-offset"), "{said}");

    let free = free_offset().to_string();
    let output = run(&["--port-offset", &free, "--data-dir", dir.path().to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("is in use by another process"), "{said}");
    stack.signal("INT");
    assert_eq!(stack.ended().await, 0);
}

#[test]
fn flags_and_configuration_are_checked_without_starting() {
    let check = |flags: &[&str], code: i32, expect: &str| {
        let output = run(flags);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {said}");
        assert!(said.contains(expect), "{flags:?}: {said}");
    };
    check(&["--check-config"], 0, "configuration is valid");
    check(&["trace-store", "--check-config", "--set", "retention=30d"], 0, "configuration is valid");
    check(&["query-api", "--check-config"], 0, "configuration is valid");
    check(&["dashboard-gateway", "--check-config", "--url-prefix", "/obs"], 0, "configuration is valid");
    check(&["--check-config", "--url-prefix", "/../obs"], 2, "server.url_prefix");
    check(&["collector", "--check-config"], 0, "configuration is valid");
    check(&["trace-store", "--check-config", "--set", "retentoin=30d"], 2, "did you mean `retention`?");
    check(&["--check-config", "--set", "trace-store.retentoin=30d"], 2, "did you mean `retention`?");
    check(&["--check-config", "--config", "none.yaml"], 2, "none.yaml");
    check(&["--port-offset", "many"], 2, "--port-offset");
    check(&["--nope"], 2, "--nope");
    check(
        &["dashboard"],
        2,
        "yc-observability <collector|trace-store|query-api|dashboard-gateway> [OPTIONS]",
    );
    check(&["--help"], 0, "--port-offset");
    check(&["--version"], 0, env!("CARGO_PKG_VERSION"));
    check(&["collector", "components"], 0, "otlp");
}

#[tokio::test]
async fn a_second_signal_exits_at_once_with_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut stack = Stack::start(dir.path());
    // a request that never ends holds the drain up
    let url = stack.url(4318);
    let addr = url.trim_start_matches("http://");
    let mut hung = tokio::net::TcpStream::connect(addr).await.unwrap();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut hung, head.as_bytes()).await.unwrap();
    http(&stack.url(13133), "GET", "/", "").await;
    stack.signal("TERM");
    let mut accepts = true;
    let started = Instant::now();
    while accepts && started.elapsed() < DEADLINE {
        accepts = tokio::net::TcpStream::connect(addr).await.is_ok();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!accepts);
    assert!(stack.child.try_wait().unwrap().is_none(), "a request under way holds the drain up");
    stack.signal("TERM");
    assert_eq!(stack.ended().await, 130);
}
