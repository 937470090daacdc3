//! The language from outside: texts in, trees and answers out.
//!
//! Knows: what Prometheus 3.14 says to a query. Must not know: how we come to say the same.

mod evaluation;
mod parse_errors;
mod parse_trees;
mod round_trip;
mod scripts;
mod traps;
