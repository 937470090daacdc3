//! What can be wrong with a configuration, in the words of the OpenTelemetry Collector.
//!
//! Knows: the texts that people search for. Must not know: how a check is made. Start at [`ConfigError`].

use super::tree::Mark;

/// Why a configuration was refused. Everything found is reported together.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A `--config` source cannot be read.
    #[error(
        "failed to get config: cannot resolve the configuration: cannot retrieve the configuration: {what}"
    )]
    Source {
        /// The source and the cause.
        what: String,
    },
    /// The text is not the YAML we take.
    #[error("failed to get config: cannot resolve the configuration: {at}: {what}")]
    Syntax {
        /// Where.
        at: Place,
        /// What.
        what: String,
    },
    /// A `${…}` that cannot be expanded.
    #[error("failed to get config: cannot resolve the configuration: {at}: {what}")]
    Expansion {
        /// Where.
        at: Place,
        /// What.
        what: String,
    },
    /// Unknown keys, unknown types, values of a wrong type: one text per problem.
    #[error("failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n{}", .problems.join("\n"))]
    Decoding {
        /// The problems, in the order of the file.
        problems: Vec<String>,
    },
    /// Well-formed, but it makes no sense.
    #[error("invalid configuration: {}", .problems.join("\n"))]
    Invalid {
        /// The problems.
        problems: Vec<String>,
    },
    /// The pipelines cannot be built.
    #[error("failed to build pipelines: {}", .problems.join("\n"))]
    Graph {
        /// The problems.
        problems: Vec<String>,
    },
}

/// A position in a source, printed `source:line:column`.
pub type Place = Mark;
