//! Completion of attributes: keys with their levels, values with their counts.
//!
//! Knows: shapes, and the keys that a search understands besides attributes. Must not know: where they are looked for.

use std::sync::Arc;

use axum::extract::State;
use serde_json::json;

use crate::backend::Wanted;
use crate::jaeger::Room;
use crate::jaeger::call::{Call, Yc};
use crate::jaeger::params::Params;
use crate::jaeger::refusal::Refusal;

use super::{Answered, answer};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 1_000;

/// Levels by their bits.
const LEVELS: [&str; 5] = ["span", "resource", "scope", "event", "link"];

/// Keys that mean a field of a span, with all their values.
const FIELDS: [(&str, &[&str]); 3] = [
    ("error", &["true", "false"]),
    ("span.kind", &["internal", "server", "client", "producer", "consumer"]),
    ("span.status", &["unset", "ok", "error"]),
];

fn wanted(params: &Params) -> Result<Wanted, Refusal> {
    let limit = match params.int("limit")? {
        None => LIMIT_DEFAULT,
        Some(limit) => {
            u32::try_from(limit).ok().filter(|n| (1..=LIMIT_MAX).contains(n)).ok_or_else(|| {
                Refusal::invalid(format!("'limit' should be between 1 and {LIMIT_MAX}, received: {limit}"))
            })?
        }
    };
    let (service, prefix) = (params.get("service").to_owned(), params.get("prefix").to_owned());
    Ok(Wanted { service, prefix, limit })
}

/// `GET attributes?service&prefix&limit`: of the newest spans of each partition.
pub(super) async fn keys(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let wanted = wanted(&call.params)?;
    let mut found = room.backend.attribute_keys(&wanted, &call.at_least).await?;
    let fields = FIELDS.iter().map(|(key, _)| *key).filter(|key| key.starts_with(&wanted.prefix));
    for key in fields {
        match found.value.binary_search_by(|(known, _)| known.as_str().cmp(key)) {
            Ok(at) => found.value.get_mut(at).into_iter().for_each(|(_, levels)| *levels |= 1),
            Err(at) => found.value.insert(at, (key.to_owned(), 1)),
        }
    }
    let keys: Vec<_> = found
        .value
        .iter()
        .map(|(key, bits)| {
            let levels = LEVELS.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
            json!({ "key": key, "levels": levels.map(|(_, level)| *level).collect::<Vec<_>>() })
        })
        .collect();
    Ok(answer(&room, &json!({ "keys": keys }), &found.cover, call.began))
}

/// `GET attributes/values?key&service&prefix&limit`: counts are spans among the newest of each partition; 0 where they
/// were not counted.
pub(super) async fn values(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let wanted = wanted(&call.params)?;
    let key = call.params.get("key");
    if key.is_empty() {
        return Err(Refusal::invalid("parameter 'key' is required").into());
    }
    let key = key.strip_prefix("resource.").unwrap_or(key);
    let mut found = room.backend.attribute_values(key, &wanted, &call.at_least).await?;
    if let Some((_, all)) = FIELDS.iter().find(|(field, _)| *field == key) {
        let all = all.iter().filter(|value| value.starts_with(&wanted.prefix));
        found.value = all.map(|value| ((*value).to_owned(), 0)).collect();
    }
    let values: Vec<_> =
        found.value.iter().map(|(value, count)| json!({ "value": value, "count": count })).collect();
    Ok(answer(&room, &json!({ "values": values }), &found.cover, call.began))
}
