//! `file`: appends batches to a file; done when fsynced.
//!
//! Knows: its keys, the form of a record. Must not know: how the writer commits (`writer`). `json` writes one OTLP/JSON
//! object a line, `proto` a big-endian 4-byte length and the protobuf request. Start at [`FileConfig`].

mod rotation;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;

use self::rotation::Rotation;
use self::writer::Writer;
use super::otlp_json::to_json;
use crate::component::{Component, Exporter, ExporterConfig, Host};
use crate::config::{ComponentId, GoDuration};
use crate::metrics::ExporterMetrics;
use crate::pipeline::{Ack, Batch, Consumer, Outcome};

/// `exporters::file`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// The flush interval is accepted; every acknowledged batch is on disk already.
pub(crate) struct FileConfig {
    path: String,
    rotation: Option<RotationConfig>,
    format: Format,
    append: Option<bool>,
    flush_interval: GoDuration,
    create_directory: Option<bool>,
    directory_permissions: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Proto,
}

/// `rotation`.
#[derive(Debug, Deserialize)]
#[serde(default)]
// Names of rotated files are in UTC whatever localtime says.
struct RotationConfig {
    max_megabytes: u64,
    max_days: u64,
    max_backups: usize,
    localtime: bool,
}

impl Default for RotationConfig {
    fn default() -> Self {
        RotationConfig { max_megabytes: 100, max_days: 0, max_backups: 100, localtime: false }
    }
}

impl ExporterConfig for FileConfig {
    fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.path.is_empty() {
            problems.push("path must be non-empty".to_owned());
        }
        if self.append == Some(false) {
            problems.push(
                "append: false is not available: it would delete acknowledged data at a restart".to_owned(),
            );
        }
        problems
    }

    fn build(&self, id: &ComponentId, host: &Host) -> anyhow::Result<Exporter> {
        let rotation = self.rotation.as_ref().map(|keys| Rotation {
            bytes_max: keys.max_megabytes.max(1).saturating_mul(1 << 20),
            days_max: keys.max_days,
            backups_max: keys.max_backups,
        });
        let writer = Writer::new(id.to_string(), PathBuf::from(&self.path), rotation);
        let file = Arc::new(File { format: self.format, writer, metrics: host.metrics.exporter(id) });
        Ok(Exporter { consumer: file.clone(), component: Some(file) })
    }
}

struct File {
    format: Format,
    writer: Writer,
    metrics: ExporterMetrics,
}

impl File {
    async fn write(&self, batch: Batch) -> Outcome {
        let mut record = Vec::new();
        match self.format {
            Format::Json => {
                to_json(&batch, &mut record)?;
                record.push(b'\n');
            }
            Format::Proto => {
                let length = u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX);
                record.extend_from_slice(&length.to_be_bytes());
                record.extend_from_slice(&batch.bytes);
            }
        }
        self.writer.append(record).await?;
        Ok(Ack::default())
    }
}

impl Consumer for File {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let (signal, items) = (batch.signal, batch.items);
            let outcome = self.write(batch).await;
            match &outcome {
                Ok(_) => self.metrics.sent.of(signal).add(items),
                Err(status) => {
                    self.metrics.send_failed.of(signal).add(items);
                    tracing::warn!(%signal, items, error = %status, "export failed");
                }
            }
            outcome
        })
    }
}

impl Component for File {
    fn start(&self) -> anyhow::Result<()> {
        self.writer.start()
    }

    fn stop(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(self.writer.stop())
    }
}
