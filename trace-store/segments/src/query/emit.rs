//! Spans going out as OTLP: grouped by resource and scope, in pieces of about 1 MiB.
//!
//! Knows: how `TracesData` nests. Must not know: where spans come from.

use bytes::Bytes;
use runtime_engine::Result;

use crate::proto;

/// Bytes of spans after which a piece is sent: with resources and framing it stays below gRPC's 4 MiB.
const PIECE_BYTES: usize = 1 << 20;

/// One span on its way out.
struct Row<'a> {
    resource: (u32, &'a Bytes),
    scope: (u32, &'a Bytes),
    start: usize,
    end: usize,
}

/// Collects the spans of one source (whose ordinals mean the same) and sends them on.
pub(crate) struct Emitter<'a, 'e> {
    emit: &'e mut dyn FnMut(Bytes) -> Result<()>,
    rows: Vec<Row<'a>>,
    spans: Vec<u8>,
    emitted: bool,
}

impl<'a, 'e> Emitter<'a, 'e> {
    pub(crate) fn new(emit: &'e mut dyn FnMut(Bytes) -> Result<()>) -> Self {
        Self { emit, rows: Vec::new(), spans: Vec::new(), emitted: false }
    }

    /// Adds a span whose message `write` appends; resource and scope are (ordinal, message without children).
    ///
    /// # Errors
    /// Those of `write` and of the receiver.
    pub(crate) fn push(
        &mut self,
        resource: (u32, &'a Bytes),
        scope: (u32, &'a Bytes),
        write: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let start = self.spans.len();
        write(&mut self.spans)?;
        self.rows.push(Row { resource, scope, start, end: self.spans.len() });
        if self.spans.len() >= PIECE_BYTES {
            self.send()?;
        }
        Ok(())
    }

    /// Sends the rest and says whether there was anything at all.
    ///
    /// # Errors
    /// Those of the receiver.
    pub(crate) fn finish(mut self) -> Result<bool> {
        self.send()?;
        Ok(self.emitted)
    }

    fn send(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.rows.sort_by_key(|row| (row.resource.0, row.scope.0));
        let mut out = Vec::with_capacity(self.spans.len() + self.spans.len() / 8 + 256);
        for of_resource in self.rows.chunk_by(|a, b| a.resource.0 == b.resource.0) {
            proto::message(&mut out, 1, |out| {
                if let Some(first) = of_resource.first() {
                    out.extend_from_slice(first.resource.1);
                }
                for of_scope in of_resource.chunk_by(|a, b| a.scope.0 == b.scope.0) {
                    proto::message(out, 2, |out| {
                        if let Some(first) = of_scope.first() {
                            out.extend_from_slice(first.scope.1);
                        }
                        for row in of_scope {
                            proto::bytes(out, 2, self.spans.get(row.start..row.end).unwrap_or_default());
                        }
                    });
                }
            });
        }
        self.rows.clear();
        self.spans.clear();
        self.emitted = true;
        (self.emit)(Bytes::from(out))
    }
}
