//! Configuration: YAML files, environment and flags become one typed value, or all errors at once.
//!
//! Knows: files, lines, keys. Must not know: any service's keys. Start at [`load`] for a service's own file; the
//! OTel Collector's format is built from [`parse`], [`substitute`] and [`typed`].
//!
//! ```text
//! file text ─ parse ─► Node tree ─ substitute ${env:…} ─► merge ─ overrides (env, --set) ─► typed ─► T
//! ```

mod de;
mod errors;
mod load;
mod parse;
mod secret;
mod substitute;
mod tree;
mod typed;
mod units;

pub use errors::{ConfigError, ConfigErrors};
pub use load::{Sources, load, redacted};
pub use parse::{parse, parse_value};
pub use secret::Secret;
pub use substitute::substitute;
pub use tree::{Entry, Mark, Node, Scalar, Value};
pub use typed::typed;
pub use units::{Period, Size, UnitError};
