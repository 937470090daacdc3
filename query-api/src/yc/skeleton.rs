//! `GET traces/{id}/skeleton`: one trace as columns; and the skeleton that questions about rows refer to.
//!
//! Knows: when one is built anew. Must not know: its format (`crate::trace::skeleton`). Start at [`skeleton`].

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::backend::{Answer, Cover, Gathered, Positions};
use crate::jaeger::Room;
use crate::jaeger::call::{Call, Yc};
use crate::jaeger::params::Params;
use crate::jaeger::refusal::{Refusal, mark_partial};
use crate::trace::Trace;
use crate::trace::skeleton::{Draft, Header, Kept, Skeleton, encode};
use crate::trace_id::{self, TraceId};

use super::{Answered, meta};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.yc.skeleton.v1");

/// Answers the columns of a trace.
pub(super) async fn skeleton(
    State(room): State<Arc<Room>>,
    Path(id): Path<String>,
    call: Call<Yc>,
) -> Answered {
    let id = trace_id::parse(&id).map_err(Refusal::invalid)?;
    let raw = call.params.bool("raw")?;
    let built = room.skeleton(id, raw, &call.at_least).await?;
    let header = Header {
        limit: room.limits.skeleton_spans_max,
        position: built.cover.positions.to_string(),
        meta: meta(&room, &built.cover, call.began),
    };
    let kept = built.value;
    let bytes = room.writers.run(move || encode(&kept.skeleton, &header)).await?;
    let mut response: Response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
    mark_partial(&mut response, &built.cover.partial);
    Ok(response)
}

impl Room {
    /// Builds the skeleton of a trace and keeps it.
    pub(super) async fn skeleton(
        &self,
        id: TraceId,
        raw: bool,
        at_least: &Positions,
    ) -> Result<Answer<Kept>, Refusal> {
        let rows_max = self.limits.skeleton_spans_max;
        let columns = self.backend.columns(id, rows_max, at_least).await?;
        let (columns, mut cover) = (columns.value, columns.cover);
        if columns.found == 0 {
            return Err(Refusal::absent("trace not found", cover.partial));
        }
        let (parts, found) = (columns.parts, columns.found);
        let drafted = self.writers.run(move || {
            let draft = Draft::new(id, raw, parts, rows_max, found);
            let suspects = draft.suspects();
            (draft, suspects)
        });
        let (draft, suspects) = drafted.await?;
        let spans = if suspects.ids.is_empty() {
            None
        } else {
            let answer = self.backend.spans(id, suspects.ids.iter().copied(), at_least).await?;
            cover.merge(&answer.cover);
            Some(answer.value)
        };
        let skew_max = self.clock_skew_max;
        let finished = self.writers.run(move || {
            let decode = |gathered: Gathered| {
                let chunks = gathered.chunks.get(&id).map(Vec::as_slice).unwrap_or_default();
                Trace::decode(id, chunks, usize::MAX)
            };
            let trace = spans.map(decode).transpose();
            trace.map(|trace| draft.finish(suspects, trace, skew_max))
        });
        let skeleton = finished.await?.map_err(|damaged| Refusal::internal(damaged.to_string()))?;
        drop(columns.taken);
        Ok(Answer { value: self.skeletons.put(skeleton), cover })
    }

    /// The skeleton whose rows a question names: of the version that it names, or the last one answered.
    pub(super) async fn asked_about(
        &self,
        id: TraceId,
        params: &Params,
        at_least: &Positions,
    ) -> Result<Answer<Arc<Skeleton>>, Refusal> {
        let (raw, version) = (params.bool("raw")?, params.get("version"));
        if let Some(kept) = self.skeletons.get(id, raw, version) {
            return Ok(Answer { value: kept.skeleton, cover: Cover::default() });
        }
        let built = self.skeleton(id, raw, at_least).await?;
        if !version.is_empty() && built.value.version != version {
            return Err(Refusal::changed("the trace has changed since: load its skeleton anew"));
        }
        Ok(built.map(|kept| kept.skeleton))
    }

    /// Clocks are moved by at most this.
    pub(super) fn skew_max(&self) -> Duration {
        self.clock_skew_max
    }
}
