//! One `yc-observability` process with its own data directory and ports.
//!
//! Knows: the binary's flags and ports. Must not know: what is sent. Start at [`Stack::start`].

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long anything that a test waits for may take on a loaded machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

const PORTS: [u16; 10] = [3001, 4317, 4318, 8081, 8082, 8888, 13133, 16686, 17281, 17282];

/// A running all-in-one, killed when dropped.
pub struct Stack {
    child: Child,
    /// Where it keeps its data; outlives restarts.
    pub data_dir: PathBuf,
    /// Shift of all its ports.
    pub port_offset: u16,
    /// From start of the process to ready for writes.
    pub ready_after: Duration,
    flags: Vec<String>,
    _owned: Option<TempDir>,
}

impl Stack {
    /// Starts the all-in-one on a fresh data directory and waits until it takes writes.
    ///
    /// # Errors
    /// When it does not start within [`DEADLINE`]; its last words are in the error.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// [`Stack::start`] with more flags.
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub async fn start_with(flags: &[&str]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut stack = Self::start_in(dir.path(), flags).await?;
        stack._owned = Some(dir);
        Ok(stack)
    }

    /// Starts it on a directory of the caller's.
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub async fn start_in(data_dir: &Path, flags: &[&str]) -> Result<Self> {
        let port_offset = free_port_offset()?;
        let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
        let child = spawn(data_dir, port_offset, &flags)?;
        let mut stack = Self {
            child,
            data_dir: data_dir.to_owned(),
            port_offset,
            ready_after: Duration::ZERO,
            flags,
            _owned: None,
        };
        stack.wait_ready().await?;
        Ok(stack)
    }

    /// SIGKILL, without any chance to say goodbye.
    ///
    /// # Errors
    /// When the process is gone already.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("kill the stack")
    }

    /// SIGTERM, then waits for the end.
    ///
    /// # Errors
    /// When it does not end within [`DEADLINE`].
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal("TERM").await?;
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        Ok(ended.context("the stack did not end after SIGTERM")??)
    }

    /// Sends a signal by name.
    ///
    /// # Errors
    /// When the process is gone.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let pid = self.pid()?;
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().await?;
        if !sent.success() {
            bail!("kill -{name} {pid} failed");
        }
        Ok(())
    }

    /// Starts the process again on the same data and ports.
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.child = spawn(&self.data_dir, self.port_offset, &self.flags)?;
        self.wait_ready().await
    }

    /// Process id.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the stack has ended")
    }

    /// `http://127.0.0.1:PORT` of a port of DESIGN's table, shifted as this stack is.
    #[must_use]
    pub fn url(&self, port: u16) -> String {
        format!("http://127.0.0.1:{}", port + self.port_offset)
    }

    /// CPU seconds (user and system) that the process has used so far.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        let after_name = stat.rsplit_once(')').context("unreadable /proc stat")?.1;
        let field = |n: usize| after_name.split_whitespace().nth(n).and_then(|f| f.parse::<f64>().ok());
        // user and system time are the 14th and 15th fields, in ticks of 10 ms on Linux
        Ok((field(11).unwrap_or_default() + field(12).unwrap_or_default()) / 100.0)
    }

    /// A memory figure of `/proc/PID/status` such as `VmRSS` or `VmHWM`, in bytes.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn memory_bytes(&self, figure: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find(|l| l.starts_with(figure)).context("no such figure")?;
        let kib: u64 = line.split_whitespace().nth(1).context("unreadable figure")?.parse()?;
        Ok(kib * 1024)
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        let http = reqwest::Client::new();
        let ports = [(17282, "/ready/write"), (16686, "/api/services"), (3001, "/api/health"), (13133, "/")];
        for (port, path) in ports {
            let url = format!("{}{path}", self.url(port));
            while !answers(&http, &url).await {
                if let Some(status) = self.child.try_wait()? {
                    bail!("the stack ended with {status} before it was ready; its words are above");
                }
                if started.elapsed() > DEADLINE {
                    bail!("{url} did not answer with success within {DEADLINE:?}");
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self.ready_after = started.elapsed();
        Ok(())
    }
}

/// The built binary that belongs to the running test: the same target directory and profile.
///
/// # Errors
/// When it was not built.
pub fn binary() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.ancestors().find(|d| d.join("yc-observability").is_file());
    let profile = profile.context("yc-observability is not built: run `make build` first")?;
    Ok(profile.join("yc-observability"))
}

/// Root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Acceptance data beside the repository, when it is there.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let dir = std::env::var_os("SHARED_DIR").map_or_else(|| root().join("../shared"), PathBuf::from);
    dir.is_dir().then_some(dir)
}

fn spawn(data_dir: &Path, port_offset: u16, flags: &[String]) -> Result<Child> {
    Command::new(binary()?)
        .arg("--data-dir")
        .arg(data_dir)
        .arg("--port-offset")
        .arg(port_offset.to_string())
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .context("start yc-observability")
}

async fn answers(http: &reqwest::Client, url: &str) -> bool {
    http.get(url).send().await.is_ok_and(|r| r.status().is_success())
}

/// An offset at which all ports are free, below the range that the kernel hands out by itself.
fn free_port_offset() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let salt = u16::try_from(std::process::id() % 97)?;
    for _ in 0..500 {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = 200 + (salt * 131 + n * 29) % 14_000;
        if PORTS.iter().all(|p| TcpListener::bind((Ipv4Addr::LOCALHOST, p + offset)).is_ok()) {
            return Ok(offset);
        }
    }
    bail!("no free range of ports")
}
