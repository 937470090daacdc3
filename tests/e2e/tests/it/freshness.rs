//! Searchable within a second of the ack, and at once for a reader that asks for the position of its write.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::load::request;
use e2e::stack::Stack;
use rand::SeedableRng;
use rand::rngs::StdRng;

#[tokio::test]
async fn a_span_is_searchable_within_a_second_of_its_ack() -> Result<()> {
    let stack = Stack::start().await?;
    let http = reqwest::Client::new();
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..10 {
        let request = request(&mut random, 1, 3);
        let trace: String = request.spans[0].0.iter().map(|b| format!("{b:02x}")).collect();
        let sent = http.post(format!("{}/v1/traces", stack.url(4318)));
        let sent = sent.header("content-type", "application/x-protobuf").body(request.body).send().await?;
        assert!(sent.status().is_success(), "{}", sent.status());
        let acked = Instant::now();
        let url = format!("{}/api/traces/{trace}", stack.url(16686));
        while !http.get(&url).send().await?.status().is_success() {
            assert!(acked.elapsed() < Duration::from_secs(1), "trace {trace} is not there after a second");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_read_that_asks_for_the_position_of_its_write_sees_it() -> Result<()> {
    let stack = Stack::start().await?;
    let http = reqwest::Client::new();
    let mut random = StdRng::seed_from_u64(8);
    for _ in 0..20 {
        let request = request(&mut random, 1, 3);
        let trace: String = request.spans[0].0.iter().map(|b| format!("{b:02x}")).collect();
        let sent = http.post(format!("{}/v1/traces", stack.url(4318)));
        let sent = sent.header("content-type", "application/x-protobuf").body(request.body).send().await?;
        let position = sent.headers().get("x-yc-position").expect("the ack carries its position").clone();
        let url = format!("{}/api/traces/{trace}", stack.url(16686));
        let answer = http.get(url).header("x-yc-position", position).send().await?;
        assert_eq!(answer.status(), 200, "trace {trace}: {}", answer.text().await?);
    }
    Ok(())
}
