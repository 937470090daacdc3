//! One read of one partition: its holders one after the other, a second one early when the first is slow.
//!
//! Knows: hedging, timeouts, which failures another holder could mend. Must not know: what is read. Start at
//! [`Backend::ask`].

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use runtime_service::{Channel, Kind, Status};
use shared_proto::trace_store::v1::ReadScope;
use shared_proto::trace_store::v1::trace_store_client::TraceStoreClient;

use crate::metrics::Peer;

use super::directory::Directory;
use super::{Backend, Positions};

/// A client of one holder, and what to ask it about.
pub(super) struct Asked {
    pub(super) client: TraceStoreClient<Channel>,
    pub(super) scope: ReadScope,
}

impl Backend {
    /// Asks the holders of `partition` until one answers.
    pub(super) async fn ask<T, F>(
        &self,
        directory: &Directory,
        partition: u32,
        at_least: &Positions,
        call: &F,
    ) -> Result<T, Status>
    where
        F: Fn(Asked) -> BoxFuture<'static, Result<T, tonic::Status>>,
    {
        let scope = ReadScope {
            partition,
            position_min: at_least.min_of(partition).unwrap_or(0),
            wait_ms_max: u32::try_from(self.timeouts.position.as_millis()).unwrap_or(u32::MAX),
        };
        let calls =
            directory.holders(partition).filter_map(|at| self.stores.get(at)).map(|store| async move {
                let answer = call(Asked { client: store.client(), scope }).await;
                answer.map_err(|error| {
                    let peer = Peer { endpoint: store.endpoint.clone() };
                    self.metrics.store_failures.get_or_create(&peer).inc();
                    tracing::debug!(endpoint = store.endpoint, partition, %error, "read failed");
                    named(&store.endpoint, &error)
                })
            });
        let hedged = first_answer(calls, self.timeouts.hedge, || {
            self.metrics.hedges.inc();
        });
        match tokio::time::timeout(self.timeouts.read, hedged).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                Err(Status::retryable(Kind::Unavailable, format!("nobody holds partition {partition}")))
            }
            Err(_elapsed) => {
                let after = self.timeouts.read;
                let message = format!("partition {partition} did not answer within {after:?}");
                Err(Status::retryable(Kind::Unavailable, message))
            }
        }
    }
}

/// A failure that is the store's own carries its endpoint; one that is about the request needs none.
fn named(endpoint: &str, error: &tonic::Status) -> Status {
    let status = Status::from_grpc(error);
    match status.kind {
        Kind::Unavailable | Kind::Internal => {
            Status { message: format!("trace-store {endpoint}: {}", status.message), ..status }
        }
        _ => status,
    }
}

/// Runs `calls` in order, the next one when the last has failed or is slower than `hedge`; the first success wins, else
/// the last failure. `None` when there is nothing to call.
async fn first_answer<T, E, C>(
    mut calls: impl Iterator<Item = C>,
    hedge: Duration,
    on_hedge: impl Fn(),
) -> Option<Result<T, E>>
where
    C: Future<Output = Result<T, E>>,
{
    let mut running = FuturesUnordered::new();
    running.push(calls.next()?);
    let mut next = calls.next();
    loop {
        let wait = tokio::time::sleep(hedge);
        tokio::select! {
            done = running.next() => match done {
                Some(Ok(answer)) => return Some(Ok(answer)),
                Some(Err(error)) => match next.take() {
                    Some(call) => {
                        running.push(call);
                        next = calls.next();
                    }
                    None if running.is_empty() => return Some(Err(error)),
                    None => {}
                },
                None => return None,
            },
            () = wait, if next.is_some() => {
                if let Some(call) = next.take() {
                    on_hedge();
                    running.push(call);
                    next = calls.next();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    type Call = BoxFuture<'static, Result<u32, &'static str>>;

    fn answer(after_ms: u64, outcome: Result<u32, &'static str>) -> Call {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            outcome
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_falls_back_and_hedges() {
        let hedge = Duration::from_millis(200);
        let check = async |calls: Vec<Call>, expect: Option<Result<u32, &'static str>>, hedges: u32| {
            let counted = Cell::new(0);
            let got = first_answer(calls.into_iter(), hedge, || counted.set(counted.get() + 1)).await;
            assert_eq!((got, counted.get()), (expect, hedges));
        };
        check(vec![], None, 0).await;
        check(vec![answer(10, Ok(1)), answer(0, Ok(2))], Some(Ok(1)), 0).await;
        check(vec![answer(10, Err("not holder")), answer(10, Ok(2))], Some(Ok(2)), 0).await;
        check(vec![answer(900, Ok(1)), answer(10, Ok(2))], Some(Ok(2)), 1).await;
        check(vec![answer(900, Ok(1)), answer(10, Err("no"))], Some(Ok(1)), 1).await;
        check(vec![answer(10, Err("a")), answer(10, Err("b"))], Some(Err("b")), 0).await;
    }
}
