//! R4 on real files: a flipped bit in a stored object is found, the rest is served, and the answer says partial.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use e2e::load::{Outcome, Sender, request};
use e2e::stack::Stack;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

fn files_below(dir: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { files_below(&path, out)? } else { out.push(path) }
    }
    Ok(())
}

fn flip_one_bit(path: &Path, random: &mut StdRng) -> Result<()> {
    let mut bytes = std::fs::read(path)?;
    let at = random.random_range(0..bytes.len());
    bytes[at] ^= 1 << random.random_range(0..8);
    Ok(std::fs::write(path, bytes)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_a_segment_makes_answers_partial_and_nothing_worse() -> Result<()> {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut stack = Stack::start().await?;
    let sender = Sender::new(&stack.url(4318))?;
    for _ in 0..20 {
        ensure!(sender.send(request(&mut random, 20, 5).body).await == Outcome::Acked);
    }
    ensure!(stack.terminate().await?.success());
    let mut files = Vec::new();
    files_below(&stack.data_dir, &mut files)?;
    let segment = files.iter().find(|f| f.extension().is_some_and(|e| e == "spans"));
    let segment = segment.ok_or_else(|| anyhow::anyhow!("no segment among {files:?}"))?;
    flip_one_bit(segment, &mut random)?;
    stack.restart().await?;
    // these segments are smaller than one checksummed block, so whatever is read of one meets the bit
    let url = format!("{}/api/traces?service=orders&limit=1000", stack.url(16686));
    let answer = reqwest::get(&url).await?;
    ensure!(answer.status() == 200, "{}", answer.text().await?);
    let partial =
        answer.headers().get("x-yc-partial").map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    ensure!(partial.as_deref().is_some_and(|p| p.contains("quarantined")), "x-yc-partial: {partial:?}");
    let answer: serde_json::Value = answer.json().await?;
    ensure!(answer["errors"][0]["code"] == 206, "{}", answer["errors"]);
    ensure!(answer["data"].as_array().is_some_and(|d| !d.is_empty()), "the other partitions are served");
    let again = sender.send(request(&mut random, 20, 5).body).await;
    ensure!(again == Outcome::Acked, "{again:?}");
    let services = reqwest::get(format!("{}/api/services", stack.url(16686))).await?;
    ensure!(services.status() == 200);
    Ok(())
}
