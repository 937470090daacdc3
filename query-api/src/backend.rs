//! The stores behind this process: who holds which partition, reads of all partitions at once, merged answers.
//!
//! Knows: `trace_store.v1`, partitions, positions, what makes an answer partial. Must not know: HTTP, Jaeger.
//! Start at [`Backend`]; `ask` is one read of one partition, `directory` says whom to ask, `reads` merges.

mod ask;
mod budget;
mod columns;
mod completion;
mod cover;
mod directory;
mod partial;
mod position;
mod reads;
mod search;
mod sums;
mod tail;

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use runtime_service::{Channel, Kind, Status};
use shared_proto::trace_store::v1::trace_store_client::TraceStoreClient;

use crate::config::{Config, Limits, Timeouts};
use crate::metrics::Metrics;

use budget::Total;
use directory::Directory;

pub(crate) use budget::Taken;
pub(crate) use completion::Wanted;
pub(crate) use cover::{Answer, Cover};
use directory::Held;
pub(crate) use partial::Partial;
pub(crate) use position::Positions;
pub(crate) use reads::Gathered;
pub(crate) use search::{Found, Order, Query};
#[cfg(test)]
pub(crate) use sums::Reason;
pub(crate) use sums::{Call, Failures, Of, RedAsk, Series, Tally};

/// Answers of stores are chunked at about 1 MiB; lists of names may be longer.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// One configured store.
#[derive(Debug)]
struct Store {
    endpoint: String,
    channel: Channel,
}

impl Store {
    fn client(&self) -> TraceStoreClient<Channel> {
        TraceStoreClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }
}

/// All configured trace stores as one.
#[derive(Debug)]
pub(crate) struct Backend {
    stores: Vec<Store>,
    /// What the stores last said about themselves; `None` until one has answered.
    directory: RwLock<Option<Arc<Directory>>>,
    total: Total,
    timeouts: Timeouts,
    limits: Limits,
    metrics: Arc<Metrics>,
}

impl Backend {
    /// The stores behind `channels`, each with its endpoint as configured.
    pub(crate) fn new(channels: Vec<(String, Channel)>, config: &Config, metrics: Arc<Metrics>) -> Self {
        Self {
            stores: channels.into_iter().map(|(endpoint, channel)| Store { endpoint, channel }).collect(),
            directory: RwLock::default(),
            total: Total::new(config.limits.answers_bytes_max),
            timeouts: config.timeouts,
            limits: config.limits,
            metrics,
        }
    }

    /// Keeps the directory fresh; never ends.
    pub(crate) fn watch(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut ticks = tokio::time::interval(directory::REFRESH_INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                self.refresh().await;
            }
        })
    }

    /// Whether any store answers.
    ///
    /// # Errors
    /// Why none does.
    pub(crate) fn ready(&self) -> Result<(), String> {
        match self.known() {
            None => Err(format!("no trace-store has answered yet: {}", self.endpoints())),
            Some(directory) if directory.is_deserted() => {
                Err(format!("no trace-store answers: {}", self.endpoints()))
            }
            Some(_) => Ok(()),
        }
    }

    /// What all stores hold, by what they said at most a second ago.
    pub(crate) fn held(&self) -> Held {
        self.known().map(|directory| directory.held()).unwrap_or_default()
    }

    /// Asks every store what it holds.
    pub(crate) async fn refresh(&self) {
        let before = self.known();
        if let Some(fresh) = Directory::ask(&self.stores, before.as_deref(), &self.metrics).await {
            *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(fresh));
        }
    }

    /// The directory, asked for now if it is not known yet.
    async fn directory(&self) -> Result<Arc<Directory>, Status> {
        if let Some(directory) = self.known() {
            return Ok(directory);
        }
        self.refresh().await;
        self.known().ok_or_else(|| {
            let message =
                format!("no trace-store answers ({}): start it or correct `trace_stores`", self.endpoints());
            Status::retryable(Kind::Unavailable, message)
        })
    }

    fn known(&self) -> Option<Arc<Directory>> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn endpoints(&self) -> String {
        self.stores.iter().map(|s| s.endpoint.as_str()).collect::<Vec<_>>().join(", ")
    }
}
