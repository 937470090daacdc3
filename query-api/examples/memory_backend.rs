//! query-api over a trace store in memory, with an OTLP/HTTP receiver: Jaeger's API to try by hand, without a stack.
//!
//! Ports and flags are those of the stack: OTLP on 4318, Jaeger HTTP on 16686, `--port-offset N`.

#[path = "../tests/it/memory_store.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared with the tests, where these are allowed"
)]
mod memory_store;

use std::process::ExitCode;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use memory_store::MemoryStore;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use query_api::Config;
use runtime_service::config::Sources;
use runtime_service::serve::{Limits, Server};
use runtime_service::{Context, Running, bind, run_main};
use shared_proto::otlp::{self, Signal};

const NAME: &str = "query-api";
const TRACE_STORE_PORT: u16 = 17281;

fn main() -> ExitCode {
    run_main(
        NAME,
        |args| Ok(Config::load(&Sources::from_args(NAME, args))?),
        |config, ctx| Box::pin(start(config, ctx)),
    )
}

async fn start(config: Config, ctx: Context) -> anyhow::Result<Running> {
    let store = MemoryStore::default();
    ctx.inproc.register(&ctx.local_endpoint(TRACE_STORE_PORT), store.service());
    let otlp = bind::listen(&ctx, "OTLP HTTP", 4318).await?;
    let running = query_api::build(config, ctx).await?.start();
    let routes = axum::Router::new().route("/v1/traces", post(receive)).with_state(store);
    let _serves_until_the_tasks_are_cancelled =
        Server::start(&running.tasks, "otlp http", otlp, routes, Limits::default());
    Ok(running)
}

async fn receive(
    State(store): State<MemoryStore>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, (StatusCode, String)> {
    let broken = |e: &dyn std::fmt::Display| (StatusCode::BAD_REQUEST, e.to_string());
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let body =
        if header("content-encoding") == "gzip" { gunzip(&body).map_err(|e| broken(&e))? } else { body };
    let body = if header("content-type").starts_with("application/json") {
        otlp::json::decode(Signal::Traces, &body).map_err(|e| broken(&e))?
    } else {
        body
    };
    let admitted = otlp::admit(Signal::Traces, body, &otlp::Limits::default()).map_err(|e| broken(&e))?;
    store.write(TracesData::decode(admitted.bytes).map_err(|e| broken(&e))?);
    Ok("{}".to_owned())
}

/// The length of the content stands in the last four bytes.
fn gunzip(body: &Bytes) -> anyhow::Result<Bytes> {
    let (_, length) = body.split_last_chunk::<4>().ok_or_else(|| anyhow::anyhow!("not gzip"))?;
    let mut out = vec![0; usize::try_from(u32::from_le_bytes(*length))?];
    let written = libdeflater::Decompressor::new().gzip_decompress(body, &mut out)?;
    out.truncate(written);
    Ok(out.into())
}
