//! Completion of attributes: keys and values of every partition, merged.
//!
//! Knows: that each partition looks at its newest spans. Must not know: who completes. Start at
//! [`Backend::attribute_keys`].

use std::collections::{BTreeMap, HashMap};

use futures_util::future::BoxFuture;
use runtime_service::Status;
use shared_proto::trace_store::v1::{GetAttributeKeysRequest, GetAttributeValuesRequest};

use super::ask::Asked;
use super::reads::part;
use super::{Answer, Backend, Positions};

/// What is to be completed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Empty means any.
    pub(crate) service: String,
    /// What was typed so far.
    pub(crate) prefix: String,
    /// At most this many.
    pub(crate) limit: u32,
}

impl Backend {
    /// Keys, sorted, each with the levels at which it was seen (bits as in the protocol).
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn attribute_keys(
        &self,
        wanted: &Wanted,
        at_least: &Positions,
    ) -> Result<Answer<Vec<(String, u32)>>, Status> {
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let Wanted { service, prefix, limit } = wanted.clone();
            let request = GetAttributeKeysRequest { scope: Some(asked.scope), service, prefix, limit };
            Box::pin(async move {
                let answer = asked.client.get_attribute_keys(request).await?.into_inner();
                part(answer.keys, answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let mut merged: BTreeMap<String, u32> = BTreeMap::new();
            for key in parts.into_iter().flatten() {
                *merged.entry(key.key).or_default() |= key.levels;
            }
            merged.into_iter().take(usize::try_from(wanted.limit).unwrap_or(usize::MAX)).collect()
        }))
    }

    /// Values of a key, the most frequent first, each with the spans that have it.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn attribute_values(
        &self,
        key: &str,
        wanted: &Wanted,
        at_least: &Positions,
    ) -> Result<Answer<Vec<(String, u64)>>, Status> {
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let Wanted { service, prefix, limit } = wanted.clone();
            let (scope, key) = (Some(asked.scope), key.to_owned());
            let request = GetAttributeValuesRequest { scope, key, service, prefix, limit };
            Box::pin(async move {
                let answer = asked.client.get_attribute_values(request).await?.into_inner();
                part(answer.values, answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let mut merged: HashMap<String, u64> = HashMap::new();
            for value in parts.into_iter().flatten() {
                *merged.entry(value.value).or_default() += value.spans;
            }
            let mut values: Vec<(String, u64)> = merged.into_iter().collect();
            values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            values.truncate(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
            values
        }))
    }
}
