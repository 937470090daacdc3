//! Log output to standard error: text or JSON, one line an event, control characters escaped.
//!
//! Knows: tracing-subscriber. Must not know: what is logged. Start at [`init`].

use std::fmt::{self, Write as _};

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{DefaultFields, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// `time LEVEL target: message key=value`.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A log filter that cannot be read, or logs that were initialised before.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The filter is not `level` or `target=level,…`.
    #[error("log filter `{filter}` is not readable: expected a level such as `info`, or `target=level,…`")]
    Filter {
        /// As given.
        filter: String,
        /// What the parser said.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Another subscriber is installed already.
    #[error("logs are initialised already")]
    Again,
}

/// Installs the process' log output.
///
/// # Errors
/// When `filter` is not readable or logs were initialised before.
pub fn init(format: Format, filter: &str) -> Result<(), LogsError> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|source| LogsError::Filter { filter: filter.to_owned(), source })?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr).with_ansi(false);
    let outcome = match format {
        Format::Text => builder.event_format(Lines).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    outcome.map_err(|_installed| LogsError::Again)
}

/// The text format.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        let mut raw = Writer::new(&mut line);
        SystemTime.format_time(&mut raw)?;
        let meta = event.metadata();
        write!(raw, " {:>5} {}: ", meta.level(), meta.target())?;
        for span in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map_or("", |f| f.fields.as_str());
            write!(raw, "{}{{{fields}}}: ", span.name())?;
        }
        DefaultFields::new().format_fields(raw.by_ref(), event)?;
        Escaped(&mut out).write_str(&line)?;
        writeln!(out)
    }
}

/// Writes control characters as `\n`, `\u{1b}`, so that a value cannot forge a line or drive a terminal.
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if c.is_control() {
                write!(self.0, "{}", c.escape_default())?;
            } else {
                self.0.write_char(c)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_value_cannot_forge_a_line_or_drive_a_terminal() {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .event_format(Lines);
        tracing::subscriber::with_default(subscriber.finish(), || {
            let evil = "a\nb\x1b[31m\r";
            tracing::info!(name = evil, display = %evil, "got {evil}");
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(!text.trim_end().chars().any(char::is_control), "{text:?}");
        assert!(text.contains(r"got a\nb\x1b[31m\r"), "{text}");
    }
}
