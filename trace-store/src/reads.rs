//! Reads: `trace_store.v1` over snapshots, on a bounded pool.
//!
//! Knows: the protocol and the engine's queries. Must not know: other partitions, HTTP. Start at [`Reader`].

mod completion;
mod find;
mod red;
mod scope;
mod skeleton;
mod stream;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use runtime_engine::{Error, Snapshot, Stop};
use runtime_service::{Kind, Pool, Status};
use runtime_store::Store;
use shared_proto::trace_store::v1 as proto;
use shared_proto::trace_store::v1::trace_store_server::TraceStore;
use tonic::{Request, Response};
use trace_segments::{Cost, Traces};

use crate::metrics::Metrics;
use scope::Scope;
use stream::ChunkStream;

/// Names of one kind are answered up to this many; more is a mistake in the instrumentation.
const NAMES_MAX: usize = 100_000;

/// The read path of one process.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) store: Store<Traces>,
    pub(crate) pool: Pool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) wait_max: Duration,
    pub(crate) stall_max: Duration,
    pub(crate) traces_max: usize,
}

/// An answer of the engine with what it covers.
struct Answer<T> {
    value: T,
    state: proto::ReadState,
}

impl Reader {
    /// Asks the engine on the pool. When it meets damage, the partition is verified, what is damaged is set aside,
    /// and the question is asked once more over the rest.
    async fn ask<T, F>(
        &self,
        scope: Option<proto::ReadScope>,
        question: F,
    ) -> Result<Answer<T>, tonic::Status>
    where
        T: Send + 'static,
        F: Fn(&Snapshot<Traces>, &Stop, &mut Cost) -> runtime_engine::Result<T> + Send + 'static,
    {
        let scope = Scope::enter(self.store.clone(), scope, self.wait_max).await?;
        let stop = StopOnDrop(Stop::default());
        let flag = stop.0.clone();
        let work = move || {
            let mut cost = Cost::default();
            let mut snapshot = scope.snapshot();
            let mut outcome = question(&snapshot, &flag, &mut cost);
            if matches!(outcome, Err(Error::Corrupt { .. })) && scope.store.verify(scope.partition) > 0 {
                snapshot = scope.snapshot();
                outcome = question(&snapshot, &flag, &mut cost);
            }
            let value = outcome.map_err(|e| failure(&e))?;
            Ok(Answer { value, state: scope.state(&snapshot, cost) })
        };
        let answer: Result<Answer<T>, Status> = self.pool.run(work).await.and_then(|done| done);
        self.metrics.read_done(answer.as_ref().err().map(|s| s.kind));
        Ok(answer?)
    }

    fn too_many(&self, what: &str, asked: usize) -> tonic::Status {
        let message = format!("{asked} {what} asked for, at most {} are answered", self.traces_max);
        Status::new(Kind::Invalid, message).into()
    }
}

/// Stops the engine when the caller has left.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What a failed query means to the caller; details of damage stay in the log.
fn failure(error: &Error) -> Status {
    match error {
        Error::Invalid(message) => Status::new(Kind::Invalid, message.clone()),
        Error::Stopped => Status::retryable(Kind::Unavailable, "the read was stopped"),
        Error::Io(source) => {
            tracing::error!(error = %source, "read failed");
            Status::retryable(Kind::Unavailable, "a stored object could not be read, try again")
        }
        Error::Corrupt { what, detail } => {
            tracing::error!(what, detail, "read met damage");
            Status::new(Kind::Internal, format!("{what} is damaged"))
        }
    }
}

fn trace_id(bytes: &[u8]) -> Result<[u8; 16], tonic::Status> {
    bytes.try_into().map_err(|_wrong_length| {
        let message = format!("trace_ids: an id is {} bytes long, expected 16", bytes.len());
        Status::new(Kind::Invalid, message).into()
    })
}

fn none_if_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// How many at most, as asked for; 0 is refused.
fn limit_of(limit: u32) -> Result<usize, tonic::Status> {
    match usize::try_from(limit).unwrap_or(usize::MAX) {
        0 => Err(Status::new(Kind::Invalid, "limit is 0, expected 1 or more").into()),
        limit => Ok(limit),
    }
}

#[tonic::async_trait]
impl TraceStore for Reader {
    type GetTracesStream = ChunkStream<proto::TraceChunk>;
    type GetSkeletonStream = ChunkStream<proto::SkeletonChunk>;

    async fn holders(
        &self,
        _request: Request<proto::HoldersRequest>,
    ) -> Result<Response<proto::HoldersResponse>, tonic::Status> {
        let held = self.store.holders().into_iter().map(|h| {
            let extent = trace_segments::extent(&self.store.snapshot(h.position.partition));
            proto::Holder {
                partition: h.position.partition.0,
                position: h.position.offset.0,
                log_end: h.log_end.0,
                seen_unix_nano: h.seen.0,
                replaying: h.replaying,
                quarantined: u32::try_from(h.quarantined).unwrap_or(u32::MAX),
                spans: extent.spans,
                oldest_unix_nano: extent.oldest,
                newest_unix_nano: extent.newest,
            }
        });
        let partitions = self.store.config().partitions;
        Ok(Response::new(proto::HoldersResponse { partitions, held: held.collect() }))
    }

    async fn get_traces(
        &self,
        request: Request<proto::GetTracesRequest>,
    ) -> Result<Response<ChunkStream<proto::TraceChunk>>, tonic::Status> {
        self.whole_traces(request.into_inner()).await.map(Response::new)
    }

    async fn get_skeleton(
        &self,
        request: Request<proto::GetSkeletonRequest>,
    ) -> Result<Response<ChunkStream<proto::SkeletonChunk>>, tonic::Status> {
        self.skeleton(request.into_inner()).await.map(Response::new)
    }

    async fn get_services(
        &self,
        request: Request<proto::GetServicesRequest>,
    ) -> Result<Response<proto::GetServicesResponse>, tonic::Status> {
        let answer =
            self.ask(request.into_inner().scope, |snap, _, _| trace_segments::services(snap)).await?;
        let mut services = answer.value;
        services.truncate(NAMES_MAX);
        Ok(Response::new(proto::GetServicesResponse { state: Some(answer.state), services }))
    }

    async fn get_operations(
        &self,
        request: Request<proto::GetOperationsRequest>,
    ) -> Result<Response<proto::GetOperationsResponse>, tonic::Status> {
        let proto::GetOperationsRequest { scope, service, span_kind } = request.into_inner();
        let question = move |snap: &Snapshot<Traces>, _: &Stop, _: &mut Cost| {
            trace_segments::operations(snap, &service, span_kind)
        };
        let answer = self.ask(scope, question).await?;
        let operations = answer.value.into_iter().take(NAMES_MAX);
        let operations = operations.map(|(name, span_kind)| proto::Operation { name, span_kind }).collect();
        Ok(Response::new(proto::GetOperationsResponse { state: Some(answer.state), operations }))
    }

    async fn get_red(
        &self,
        request: Request<proto::GetRedRequest>,
    ) -> Result<Response<proto::GetRedResponse>, tonic::Status> {
        self.red(request.into_inner()).await.map(Response::new)
    }

    async fn get_edges(
        &self,
        request: Request<proto::GetEdgesRequest>,
    ) -> Result<Response<proto::GetEdgesResponse>, tonic::Status> {
        self.edges(request.into_inner()).await.map(Response::new)
    }

    async fn get_failures(
        &self,
        request: Request<proto::GetFailuresRequest>,
    ) -> Result<Response<proto::GetFailuresResponse>, tonic::Status> {
        self.failures(request.into_inner()).await.map(Response::new)
    }

    async fn get_callers(
        &self,
        request: Request<proto::GetCallersRequest>,
    ) -> Result<Response<proto::GetCallersResponse>, tonic::Status> {
        self.callers(request.into_inner()).await.map(Response::new)
    }

    async fn find_traces(
        &self,
        request: Request<proto::FindTracesRequest>,
    ) -> Result<Response<proto::FindTracesResponse>, tonic::Status> {
        self.find(request.into_inner()).await.map(Response::new)
    }

    async fn get_summaries(
        &self,
        request: Request<proto::GetSummariesRequest>,
    ) -> Result<Response<proto::GetSummariesResponse>, tonic::Status> {
        self.summaries(request.into_inner()).await.map(Response::new)
    }

    async fn get_attribute_keys(
        &self,
        request: Request<proto::GetAttributeKeysRequest>,
    ) -> Result<Response<proto::GetAttributeKeysResponse>, tonic::Status> {
        self.attribute_keys(request.into_inner()).await.map(Response::new)
    }

    async fn get_attribute_values(
        &self,
        request: Request<proto::GetAttributeValuesRequest>,
    ) -> Result<Response<proto::GetAttributeValuesResponse>, tonic::Status> {
        self.attribute_values(request.into_inner()).await.map(Response::new)
    }

    async fn await_position(
        &self,
        request: Request<proto::AwaitPositionRequest>,
    ) -> Result<Response<proto::AwaitPositionResponse>, tonic::Status> {
        let scope = Scope::enter(self.store.clone(), request.into_inner().scope, self.wait_max).await?;
        let state = scope.state(&scope.snapshot(), Cost::default());
        Ok(Response::new(proto::AwaitPositionResponse { state: Some(state) }))
    }
}
