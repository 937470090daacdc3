//! OTLP as bytes: requests are validated, counted, merged and split without being decoded.
//!
//! Knows: the wire form of the three signals and the limits of `docs/wire.md`.
//! Must not know: transports, storage, and what an attribute means.
//! Start at [`admit`] (what a receiver does with a request), then [`split_traces`] (what a log writer does with
//! it), then [`view`] (how a store reads what was logged). Rules, limits and texts are in `docs/wire.md`.

mod admit;
pub mod json;
mod malformed;
mod schema;
mod signal;
mod split;
pub mod view;
mod wire;

pub use admit::{Admitted, Limits, Rejected, admit, count, merge};
pub use malformed::Malformed;
pub use signal::Signal;
pub use split::{Part, Split, split_traces};
