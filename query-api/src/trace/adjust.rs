//! What a reader who did not ask for `raw` gets adjusted: Jaeger's seven adjusters in Jaeger's order.
//!
//! Knows: the order, which is part of the result. Must not know: what an adjuster does. Start at [`adjust`].

pub(crate) mod clock_skew;
pub(crate) mod duplicates;
mod ip;
mod library;
mod links;
pub(crate) mod shared_ids;
mod sort;

use std::time::Duration;

use super::Trace;

/// Adjusts `trace`. Clocks are moved by at most `clock_skew_max`; zero moves nothing and only warns.
pub(crate) fn adjust(trace: &mut Trace, clock_skew_max: Duration) {
    shared_ids::separate(trace);
    sort::sort(trace);
    duplicates::remove(trace);
    clock_skew::correct(trace, clock_skew_max);
    ip::normalize(trace);
    library::move_to_resource(trace);
    links::remove_empty(trace);
}

/// What concerns a span alone: the order of its lists, old forms of addresses, attributes of the SDK, empty links. For
/// spans that were read without the rest of their trace.
pub(crate) fn adjust_alone(trace: &mut Trace) {
    sort::sort(trace);
    ip::normalize(trace);
    library::move_to_resource(trace);
    links::remove_empty(trace);
}

/// Contents of spans, by which exact duplicates are known, in the order of the spans. Sorts their lists.
pub(crate) fn contents(trace: &mut Trace) -> Vec<u128> {
    sort::sort(trace);
    duplicates::contents(trace)
}

/// A span id as a number; 0 for none.
fn id_of(id: &[u8]) -> u64 {
    <[u8; 8]>::try_from(id).map_or(0, u64::from_be_bytes)
}
