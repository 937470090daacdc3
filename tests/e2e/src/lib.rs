//! What the end-to-end tests and the benches are made of: real processes, a load generator, and the checker that
//! knows what was acknowledged.
//!
//! Knows: the public wires, ports and command lines. Must not know: any crate of the services. Start at
//! [`stack::Stack`]; the tests are in `tests/it`.

pub mod canonical;
pub mod ledger;
pub mod load;
pub mod reader;
pub mod sdk;
pub mod stack;
