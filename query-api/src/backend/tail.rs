//! Waiting for news: whichever partition goes on first.
//!
//! Knows: `AwaitPosition`. Must not know: what the news is. Start at [`Backend::news`].

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use runtime_service::Status;
use shared_proto::trace_store::v1::AwaitPositionRequest;

use super::ask::Asked;
use super::{Backend, Positions};

impl Backend {
    /// Waits until any partition is further than `known`, but no longer than a read waits for its position; says
    /// whether one is.
    ///
    /// # Errors
    /// When no store says which partitions there are.
    pub(crate) async fn news(&self, known: &Positions) -> Result<bool, Status> {
        let directory = self.directory().await?;
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<(), tonic::Status>> {
            Box::pin(async move {
                let request = AwaitPositionRequest { scope: Some(asked.scope) };
                asked.client.await_position(request).await.map(|_reached| ())
            })
        };
        let mut waiting = FuturesUnordered::new();
        for partition in directory.partitions() {
            let mut next = Positions::default();
            next.raise(partition, known.min_of(partition).unwrap_or(0));
            let (directory, call) = (&directory, &call);
            waiting.push(async move { self.ask(directory, partition, &next, call).await });
        }
        while let Some(outcome) = waiting.next().await {
            if outcome.is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
