//! The three signals and their names.

/// Which kind of OTLP request bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// `ExportTraceServiceRequest`, the same bytes as `TracesData`.
    Traces,
    /// `ExportMetricsServiceRequest`, the same bytes as `MetricsData`.
    Metrics,
    /// `ExportLogsServiceRequest`, the same bytes as `LogsData`.
    Logs,
}

impl Signal {
    /// `traces`, `metrics` or `logs`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
        }
    }

    /// What is counted, for people: `spans`, `data points` or `log records`.
    #[must_use]
    pub fn items(self) -> &'static str {
        match self {
            Signal::Traces => "spans",
            Signal::Metrics => "data points",
            Signal::Logs => "log records",
        }
    }

    /// What is counted, as in the collector's own metrics: `spans`, `metric_points` or `log_records`.
    #[must_use]
    pub fn items_metric(self) -> &'static str {
        match self {
            Signal::Traces => "spans",
            Signal::Metrics => "metric_points",
            Signal::Logs => "log_records",
        }
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
