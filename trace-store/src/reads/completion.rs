//! Completion of attributes: messages in, the engine's answers as messages out.
//!
//! Knows: the protocol's fields. Must not know: where keys and values are looked for. Start at
//! [`Reader::attribute_keys`].

use runtime_engine::{Snapshot, Stop};
use shared_proto::trace_store::v1 as proto;
use trace_segments::{Completion, Cost, Traces};

use super::{NAMES_MAX, Reader, limit_of, none_if_empty};

impl Reader {
    pub(super) async fn attribute_keys(
        &self,
        request: proto::GetAttributeKeysRequest,
    ) -> Result<proto::GetAttributeKeysResponse, tonic::Status> {
        let wanted = wanted(request.service, request.prefix, request.limit)?;
        let question = move |snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost| {
            trace_segments::attribute_keys(snap, &wanted, stop, cost)
        };
        let answer = self.ask(request.scope, question).await?;
        let keys = answer.value.into_iter().map(|(key, levels)| proto::AttributeKey { key, levels });
        Ok(proto::GetAttributeKeysResponse { state: Some(answer.state), keys: keys.collect() })
    }

    pub(super) async fn attribute_values(
        &self,
        request: proto::GetAttributeValuesRequest,
    ) -> Result<proto::GetAttributeValuesResponse, tonic::Status> {
        let wanted = wanted(request.service, request.prefix, request.limit)?;
        let key = request.key;
        let question = move |snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost| {
            trace_segments::attribute_values(snap, &key, &wanted, stop, cost)
        };
        let answer = self.ask(request.scope, question).await?;
        let values = answer.value.into_iter().map(|(value, spans)| proto::AttributeValue { value, spans });
        Ok(proto::GetAttributeValuesResponse { state: Some(answer.state), values: values.collect() })
    }
}

fn wanted(service: String, prefix: String, limit: u32) -> Result<Completion, tonic::Status> {
    let limit = limit_of(limit)?.min(NAMES_MAX);
    Ok(Completion { service: none_if_empty(service), prefix, limit })
}
