//! A skeleton as bytes: `docs/skeleton.md`.
//!
//! Knows: the format. Must not know: how rows came about. Start at [`encode`].

use serde::Serialize;
use serde_json::{Value, json};

use super::{ORPHAN, ROOT, Row, Skeleton, flag};
use crate::jaeger::v3::hex;

const MAGIC: &[u8; 4] = b"YCSK";
const VERSION: u32 = 1;
/// Everything begins at a multiple of this.
const ALIGNMENT: usize = 8;
const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];

/// What the header says besides the rows.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// Where the answer was cut, if it was.
    pub(crate) limit: usize,
    /// What the answer includes.
    pub(crate) position: String,
    /// `partial`, `cost` and `dataFrom` of every answer.
    pub(crate) meta: Value,
}

#[derive(Serialize)]
struct Column {
    name: &'static str,
    r#type: &'static str,
    offset: usize,
    length: usize,
}

/// The columns under way.
#[derive(Default)]
struct Columns {
    described: Vec<Column>,
    bytes: Vec<u8>,
}

impl Columns {
    fn add<const N: usize>(
        &mut self,
        name: &'static str,
        r#type: &'static str,
        rows: &[Row],
        value: impl Fn(&Row) -> [u8; N],
    ) {
        let offset = self.bytes.len();
        rows.iter().for_each(|row| self.bytes.extend_from_slice(&value(row)));
        self.described.push(Column { name, r#type, offset, length: self.bytes.len() - offset });
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
}

/// Exact: a trace lasts less than 2⁵³ ns (104 days) where it is drawn to the ns.
fn float(nanos: u64) -> [u8; 8] {
    (nanos as f64).to_le_bytes()
}

/// Writes a skeleton.
pub(crate) fn encode(skeleton: &Skeleton, header: &Header) -> Vec<u8> {
    let (rows, (start, end)) = (skeleton.rows.as_slice(), skeleton.times());
    let mut columns = Columns { bytes: Vec::with_capacity(rows.len() * 48 + 128), ..Columns::default() };
    columns.add("parent", "u32", rows, |row| row.parent.to_le_bytes());
    columns.add("depth", "u16", rows, |row| row.depth.to_le_bytes());
    columns.add("startNano", "f64", rows, |row| float(row.start - start));
    columns.add("durationNano", "f64", rows, |row| float(row.duration));
    columns.add("service", "u32", rows, |row| row.service.to_le_bytes());
    columns.add("operation", "u32", rows, |row| row.operation.to_le_bytes());
    columns.add("flags", "u8", rows, |row| [row.flags]);
    // upper half first, each half little-endian
    columns.add("spanId", "u32", rows, |row| row.id.rotate_left(32).to_le_bytes());
    columns.add("descendants", "u32", rows, |row| row.descendants.to_le_bytes());
    columns.add("children", "u32", rows, |row| row.children.to_le_bytes());
    let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    let mut json = json!({
        "traceId": hex(&skeleton.id),
        "version": skeleton.version(),
        "raw": skeleton.raw,
        "spans": rows.len(),
        "start": start.to_string(),
        "end": end.to_string(),
        "services": skeleton.services,
        "operations": skeleton.operations,
        "kinds": KINDS,
        "columns": columns.described,
        "roots": count(&|row| row.parent == ROOT),
        "orphans": count(&|row| row.parent == ORPHAN),
        "warnings": count(&|row| row.flags & flag::WARNINGS != 0),
        "traceWarnings": skeleton.warnings,
        "cut": skeleton.found.map(|found| json!({ "limit": header.limit, "found": found })),
        "position": header.position,
    });
    if let (Some(json), Some(meta)) = (json.as_object_mut(), header.meta.as_object()) {
        json.extend(meta.clone());
    }
    let mut json = json.to_string().into_bytes();
    json.resize((12 + json.len()).next_multiple_of(ALIGNMENT) - 12, b' ');
    let mut out = Vec::with_capacity(12 + json.len() + columns.bytes.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.append(&mut json);
    out.append(&mut columns.bytes);
    out
}
