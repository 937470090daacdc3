//! A table of figures beside the peers'.
//!
//! Knows: numbers and words. Must not know: how they were taken. Start at [`Report`].

use std::io::Write;
use std::time::Duration;

/// Figures in the order in which they were taken.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<[String; 4]>,
}

impl Report {
    /// Adds a figure and what is known of the peers'.
    pub(crate) fn figure(&mut self, what: &str, value: f64, unit: &str, peers: &str) {
        let digits = if value < 10.0 { 2 } else { 0 };
        self.rows.push([what.to_owned(), format!("{value:.digits$}"), unit.to_owned(), peers.to_owned()]);
    }

    /// Adds a size.
    pub(crate) fn mebibytes(&mut self, what: &str, bytes: u64, peers: &str) {
        self.figure(what, bytes as f64 / f64::from(1 << 20), "MiB", peers);
    }

    /// Adds median and 99th percentile of latencies.
    pub(crate) fn latencies(&mut self, what: &str, latencies: &mut [Duration], peers: &str) {
        latencies.sort_unstable();
        for (name, part) in [("p50", 50), ("p99", 99)] {
            let at = latencies.len().saturating_sub(1) * part / 100;
            let value = latencies.get(at).copied().unwrap_or_default();
            self.figure(&format!("{what}, {name}"), value.as_secs_f64() * 1e3, "ms", peers);
        }
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        let mut out = std::io::stdout().lock();
        for [what, value, unit, peers] in &self.rows {
            // a closed pipe is the reader's wish
            let _ = writeln!(out, "{what:<48}{value:>10} {unit:<10} {peers}");
        }
    }
}
