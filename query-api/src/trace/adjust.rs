//! What a reader who did not ask for `raw` gets adjusted: Jaeger's seven adjusters in Jaeger's order.
//!
//! Knows: the order, which is part of the result. Must not know: what an adjuster does. Start at [`adjust`].

mod clock_skew;
mod duplicates;
mod ip;
mod library;
mod links;
mod shared_ids;
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
