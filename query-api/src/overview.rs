//! Our own API about services as a whole: `/api/yc/v1/{overview,red,graph}`.
//!
//! Knows: which sums a page needs, and how the answers are written. Must not know: how partitions are asked, Jaeger.
//! Start at [`routes`]; `rule` says what is broken and why, `docs/overview.md` says so to people.

mod asked;
mod graph;
mod red;
mod rule;
mod services;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use crate::backend::{Cover, RedAsk};
use crate::jaeger::Room;
use crate::jaeger::call::{Call, Refused, Yc};
use crate::yc::answer;

use asked::Asked;

type Answered = Result<Response, Refused<Yc>>;

/// The routes of this room.
pub(crate) fn routes() -> Router<Arc<Room>> {
    Router::new()
        .route("/api/yc/v1/overview", get(overview))
        .route("/api/yc/v1/red", get(red_of))
        .route("/api/yc/v1/graph", get(graph_of))
}

/// `GET /api/yc/v1/overview?start&end&compareStart&compareEnd&step`.
async fn overview(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let (asked, backend, at_least) = (Asked::read(&call.params)?, &room.backend, &call.at_least);
    let window = |(start, end)| RedAsk { start, end, step_minutes: asked.step_minutes, ..RedAsk::default() };
    let then = async {
        match asked.compare {
            Some(compare) => backend.red(&window(compare), at_least).await.map(Some),
            None => Ok(None),
        }
    };
    let ask = window((asked.start, asked.end));
    let (now, then, edges, failures) = futures_util::join!(
        backend.red(&ask, at_least),
        then,
        backend.edges(asked.start, asked.end, at_least),
        backend.failures(asked.start, asked.end, at_least),
    );
    let (now, then, edges, failures) = (now?, then?, edges?, failures?);
    let mut cover = now.cover;
    then.iter().for_each(|then| cover.merge(&then.cover));
    cover.merge(&edges.cover);
    cover.merge(&failures.cover);
    let services =
        services::compare(&asked, now.value, then.map(|then| then.value), room.backend.held().oldest);
    let services = rule::judge(&asked, services, &edges.value, &failures.value);
    let shown: Vec<Value> = services.iter().map(|judged| judged.shown(&asked)).collect();
    Ok(windowed(&room, &call, &asked, json!({ "services": shown, "rule": rule::TEXT }), &cover))
}

/// `GET /api/yc/v1/red?service&groupBy&start&end&step&kind`.
async fn red_of(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let asked = Asked::read(&call.params)?;
    let found = room.backend.red(&red::ask(&asked, &call.params)?, &call.at_least).await?;
    let groups = red::groups(&asked, &found.value, room.backend.held().oldest);
    Ok(windowed(&room, &call, &asked, json!({ "groups": groups }), &found.cover))
}

/// `GET /api/yc/v1/graph?start&end&compareStart&compareEnd`.
async fn graph_of(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let (asked, backend, at_least) = (Asked::read(&call.params)?, &room.backend, &call.at_least);
    let window = RedAsk { start: asked.start, end: asked.end, ..RedAsk::default() };
    let then = async {
        match asked.compare {
            Some((start, end)) => backend.edges(start, end, at_least).await.map(Some),
            None => Ok(None),
        }
    };
    let (red, edges, then) = futures_util::join!(
        backend.red(&window, at_least),
        backend.edges(asked.start, asked.end, at_least),
        then,
    );
    let (red, edges, then) = (red?, edges?, then?);
    let mut cover = red.cover;
    cover.merge(&edges.cover);
    then.iter().for_each(|then| cover.merge(&then.cover));
    let (nodes, edges) = graph::of(red.value, edges.value, then.map(|then| then.value));
    Ok(answer(&room, &json!({ "nodes": nodes, "edges": edges }), &cover, call.began))
}

/// An answer that repeats the window and the step that it is about.
fn windowed(room: &Room, call: &Call<Yc>, asked: &Asked, mut value: Value, cover: &Cover) -> Response {
    if let Value::Object(fields) = &mut value {
        fields.extend(asked.fields());
    }
    answer(room, &value, cover, call.began)
}
