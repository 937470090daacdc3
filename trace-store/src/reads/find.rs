//! Searches and summaries: messages in, the engine's answers as messages out.
//!
//! Knows: the protocol's fields. Must not know: how anything is found. Start at [`Reader::find`].

use runtime_engine::{Snapshot, Stop};
use runtime_service::{Kind, Status};
use shared_proto::trace_store::v1 as proto;
use trace_segments::{Cost, ErrorSpan, Order, RootSpan, SearchQuery, Summary, Traces};

use super::{Reader, limit_of, none_if_empty, trace_id};

/// What a state says when the parents of spans were too many to look for.
const ORPHANS_UNCOUNTED: &str = "orphans uncounted";

impl Reader {
    pub(super) async fn find(
        &self,
        request: proto::FindTracesRequest,
    ) -> Result<proto::FindTracesResponse, tonic::Status> {
        let limit = limit_of(request.limit)?;
        if limit > self.traces_max {
            return Err(self.too_many("traces", limit));
        }
        let scope = request.scope;
        let query = SearchQuery { limit, ..query_of(request)? };
        let question = move |snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost| {
            trace_segments::find(snap, &query, stop, cost)
        };
        let answer = self.ask(scope, question).await?;
        let key = |(rank, id): (u64, [u8; 16])| proto::TraceKey { rank, trace_id: id.to_vec().into() };
        Ok(proto::FindTracesResponse {
            state: Some(answer.state),
            traces: answer.value.traces.into_iter().map(key).collect(),
            bounded_to: answer.value.bounded_to,
        })
    }

    pub(super) async fn summaries(
        &self,
        request: proto::GetSummariesRequest,
    ) -> Result<proto::GetSummariesResponse, tonic::Status> {
        if request.trace_ids.len() > self.traces_max {
            return Err(self.too_many("traces", request.trace_ids.len()));
        }
        let ids = request.trace_ids.iter().map(|id| trace_id(id)).collect::<Result<Vec<_>, _>>()?;
        let matching = request.matching.map(query_of).transpose()?;
        let question = move |snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost| {
            trace_segments::summaries(snap, &ids, matching.as_ref(), stop, cost)
        };
        let mut answer = self.ask(request.scope, question).await?;
        if !answer.value.are_orphans_counted && answer.state.partial.is_empty() {
            ORPHANS_UNCOUNTED.clone_into(&mut answer.state.partial);
        }
        Ok(proto::GetSummariesResponse {
            state: Some(answer.state),
            summaries: answer.value.traces.into_iter().map(summary_of).collect(),
        })
    }
}

/// The conditions, order and place of a request, without its limit.
fn query_of(request: proto::FindTracesRequest) -> Result<SearchQuery, tonic::Status> {
    let order = match request.order() {
        proto::Order::Newest => Order::Newest,
        proto::Order::Oldest => Order::Oldest,
        proto::Order::Longest => Order::Longest,
        proto::Order::Spans => Order::Spans,
        proto::Order::Errors => Order::Errors,
    };
    if order == Order::Newest && request.order != i32::from(proto::Order::Newest) {
        let message = format!("order {} is not known", request.order);
        return Err(Status::new(Kind::Invalid, message).into());
    }
    let after = match &request.after {
        Some(key) => Some((key.rank, trace_id(&key.trace_id)?)),
        None => None,
    };
    Ok(SearchQuery {
        service: none_if_empty(request.service),
        operation: none_if_empty(request.operation),
        attributes: request.attributes.into_iter().map(|a| (a.key, a.value)).collect(),
        start_min: request.start_min_unix_nano,
        start_max: request.start_max_unix_nano,
        duration_min: request.duration_min_nano,
        duration_max: request.duration_max_nano,
        limit: 0,
        after,
        order,
        trace_duration_min: request.trace_duration_min_nano,
        trace_duration_max: request.trace_duration_max_nano,
    })
}

fn summary_of(summary: Summary) -> proto::TraceSummary {
    let root = |root: RootSpan| proto::RootSpan {
        service: root.service.to_string(),
        operation: root.operation,
        start_unix_nano: root.start,
    };
    let error = |error: ErrorSpan| proto::ErrorSpan {
        text: error.text,
        service: error.service.to_string(),
        operation: error.operation,
        start_unix_nano: error.start,
    };
    let services = summary.services.into_iter().map(|count| proto::ServiceCount {
        service: count.service.to_string(),
        spans: count.spans,
        errors: count.errors,
    });
    proto::TraceSummary {
        trace_id: summary.trace_id.to_vec().into(),
        start_unix_nano: summary.start,
        end_unix_nano: summary.end,
        root: summary.root.map(root),
        orphan: summary.orphan.map(root),
        spans: summary.spans,
        errors: summary.errors,
        orphans: summary.orphans,
        services: services.collect(),
        error: summary.error.map(error),
        matched: summary.matched.concat().into(),
        matched_oldest_unix_nano: summary.matched_oldest,
        matched_newest_unix_nano: summary.matched_newest,
    }
}
