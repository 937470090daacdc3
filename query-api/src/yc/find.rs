//! `GET traces/{id}/find?q=`: rows whose spans hold a text anywhere, attributes and events included.
//!
//! Knows: words, "phrases", exclusions, where they are looked for (Jaeger UI's rules). Must not know: how spans are
//! read. Start at [`find`].

use std::sync::Arc;

use axum::extract::{Path, State};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::json;

use crate::jaeger::Room;
use crate::jaeger::call::{Call, Yc};
use crate::jaeger::refusal::Refusal;
use crate::trace::{attributes, sanitize, value_text};
use crate::trace_id;

use super::details::{each_span, origin_of, rows_by_origin};
use super::{Answered, answer};

/// A text to find: any of these words, in lower case; keys that are not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    words: Vec<String>,
    excluded_keys: Vec<String>,
}

/// Answers the rows that match, ascending.
pub(super) async fn find(State(room): State<Arc<Room>>, Path(id): Path<String>, call: Call<Yc>) -> Answered {
    let id = trace_id::parse(&id).map_err(Refusal::invalid)?;
    let wanted = Wanted::parse(call.params.get("q"));
    let asked = room.asked_about(id, &call.params, &call.at_least).await?;
    let (skeleton, mut cover) = (asked.value, asked.cover);
    let mut rows: Vec<u32> = Vec::new();
    if !wanted.words.is_empty() {
        let by_origin = Arc::new(rows_by_origin(&skeleton));
        let look = move |found: &mut Vec<u32>, chunk: &[u8]| {
            each_span(chunk, |resource, scope, span| {
                if wanted.is_in(resource, scope, span) {
                    found.extend(by_origin.get(&origin_of(span)).into_iter().flatten());
                }
            })
        };
        let walked = room.backend.walk(id, &call.at_least, look).await?;
        cover.merge(&walked.cover);
        rows = walked.value.into_iter().flatten().collect();
        rows.sort_unstable();
        rows.dedup();
    }
    Ok(answer(&room, &json!({ "rows": rows }), &cover, call.began))
}

impl Wanted {
    fn parse(text: &str) -> Self {
        let mut wanted = Self::default();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let (word, after) = if first == '"' {
                let inside = rest.strip_prefix('"').unwrap_or_default();
                inside.split_once('"').unwrap_or((inside, ""))
            } else {
                rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
            };
            let word = word.to_lowercase();
            match word.strip_prefix('-').filter(|key| first != '"' && !key.is_empty()) {
                Some(key) => wanted.excluded_keys.push(key.to_owned()),
                None if word.is_empty() => {}
                None => wanted.words.push(word),
            }
            rest = after.trim_start();
        }
        wanted
    }

    fn has(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.words.iter().any(|word| text.contains(word.as_str()))
    }

    fn has_any(&self, list: &[KeyValue]) -> bool {
        list.iter().any(|attribute| {
            if self.excluded_keys.iter().any(|key| *key == attribute.key.to_lowercase()) {
                return false;
            }
            let value = attribute.value.as_ref().map(value_text::plain).unwrap_or_default();
            // key, value, and key=value in one
            self.has(&format!("{}={value}", attribute.key))
        })
    }

    fn is_in(&self, resource: &ResourceSpans, scope: &ScopeSpans, span: &Span) -> bool {
        let list = resource.resource.as_ref().map(|r| r.attributes.as_slice()).unwrap_or_default();
        let scope_name = scope.scope.as_ref().map(|s| s.name.as_str()).unwrap_or_default();
        let status = span.status.as_ref().map(|s| s.message.as_str()).unwrap_or_default();
        let id = crate::jaeger::v3::hex(&span.span_id);
        let texts = [span.name.as_str(), scope_name, status, &id];
        texts.iter().any(|text| self.has(text))
            || attributes::text(list, sanitize::SERVICE_NAME).is_some_and(|service| self.has(service))
            || self.has_any(&span.attributes)
            || self.has_any(list)
            || span.events.iter().any(|event| self.has(&event.name) || self.has_any(&event.attributes))
            || span.links.iter().any(|link| self.has_any(&link.attributes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_exclusions_are_told_apart() {
        let check = |text: &str, words: &[&str], excluded: &[&str]| {
            let wanted = Wanted::parse(text);
            assert_eq!(
                (wanted.words, wanted.excluded_keys),
                (
                    words.iter().map(|w| (*w).to_owned()).collect(),
                    excluded.iter().map(|w| (*w).to_owned()).collect(),
                ),
                "{text}"
            );
        };
        check("", &[], &[]);
        check(" GET  500 ", &["get", "500"], &[]);
        check(r#"a "two words" -http.url b"#, &["a", "two words", "b"], &["http.url"]);
        check(r#""open end"#, &["open end"], &[]);
        check(r#"- "-x" """#, &["-", "-x"], &[]);
    }
}
