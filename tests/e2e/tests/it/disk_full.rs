//! R5: a full disk is a mode, not an end: writes are refused with a retry hint, reads go on, space heals it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::ledger::{Ledger, Verdict};
use e2e::load::{Outcome, Sender, request};
use e2e::reader::read_traces;
use e2e::stack::Stack;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A 64 MiB file system of its own, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Result<Self> {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(at).status()?;
        ensure!(done.success(), "this test mounts a tmpfs and so must run as root");
        Ok(Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

async fn status(url: String) -> Result<u16> {
    Ok(reqwest::get(url).await?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_serves_reads_and_heals() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let disk = SmallDisk::mount(dir.path())?;
    let stack = Stack::start_in(dir.path(), &[]).await?;
    let sender = Sender::new(&stack.url(4318))?;
    let mut random = StdRng::seed_from_u64(5);
    let mut ledger = Ledger::default();
    // something else fills the disk
    let hog = dir.path().join("hog");
    let full =
        Command::new("dd").args(["if=/dev/zero", "bs=1M"]).arg(format!("of={}", hog.display())).output()?;
    ensure!(!full.status.success(), "the disk did not fill up");
    let started = Instant::now();
    let refused = loop {
        let request = request(&mut random, 20, 10);
        ledger.sent(&request.spans);
        match sender.send(request.body).await {
            Outcome::Acked => ledger.acked(&request.spans),
            refused => break refused,
        }
        ensure!(started.elapsed() < Duration::from_secs(20), "a full disk still takes writes");
    };
    let Outcome::Refused { status: code, retry_after, body } = refused else { panic!("{refused:?}") };
    assert!([429, 503].contains(&code), "{code} {body}");
    assert!(retry_after.is_some(), "{code} without a retry hint: {body}");
    assert_eq!(status(format!("{}/ready/write", stack.url(17282))).await?, 503);
    assert_eq!(status(format!("{}/ready/read", stack.url(17282))).await?, 200);
    assert_eq!(status(format!("{}/api/services", stack.url(16686))).await?, 200);

    std::fs::remove_file(&hog)?;
    let freed = Instant::now();
    loop {
        let request = request(&mut random, 2, 2);
        ledger.sent(&request.spans);
        if sender.send(request.body).await == Outcome::Acked {
            ledger.acked(&request.spans);
            break;
        }
        ensure!(freed.elapsed() < Duration::from_secs(10), "not healed 10 s after space returned");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let present = read_traces(&stack.url(17281), &ledger.traces()).await.context("read back")?;
    assert_eq!(ledger.check(&present), Verdict::default());
    drop(stack);
    drop(disk);
    Ok(())
}
