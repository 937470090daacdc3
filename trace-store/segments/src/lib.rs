//! The engine of traces: bytes of OTLP in, Parquet segments at rest, answers about spans out.
//!
//! Knows: spans, traces, the segment format (`docs/segment-format.md`) and the queries over a snapshot. Must not know:
//! files, sockets, clocks, threads, or HTTP shapes. Start at [`Traces`] for the write path (`head`, `flush`, `merge`)
//! and at [`get_trace`] and [`search`] for the read path (`query`).

mod compact;
mod engine;
mod flush;
mod head;
mod names;
mod proto;
mod query;
mod red;
mod segment;
mod tables;

pub use engine::Traces;
pub use head::{Head, View};
pub use query::{
    Completion, Cost, ErrorSpan, Extent, Hits, Keys, Level, Order, Ranked, RootSpan, Rows, SearchQuery,
    ServiceCount, SkeletonResource, Summaries, Summary, attribute_keys, attribute_values, extent, facts,
    find, get_spans, get_trace, operations, search, services, skeleton, summaries,
};
pub use red::{
    Callee, Edge, Edges, Failure, Failures, HalfEdge, Red, RedPoint, RedQuery, RedSeries, Version, Window,
    callers, edges, failures, red,
};
pub use segment::Segment;

use shared_proto::otlp::Malformed;

/// What became of reading OTLP bytes.
type Parsed<T> = Result<T, Malformed>;

/// What became of building columns.
type Built<T> = Result<T, arrow_schema::ArrowError>;
