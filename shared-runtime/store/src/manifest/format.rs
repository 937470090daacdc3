//! The byte format of a manifest; drawn in `docs/manifest-format.md`.
//!
//! Knows: field numbers, magic, checksum. Must not know: what commits do with a manifest.

use runtime_engine::{Edit, ObjectId, ObjectMeta, Offset, PartMeta, Time};

use super::wire::{Field, Reader, Writer};
use super::{Entry, Manifest, ManifestError, Removed, Unknown};

/// First bytes of every manifest.
pub const MAGIC: [u8; 6] = *b"YCMANI";
/// Format that is written, and the only one that is read before the first release.
pub const FORMAT: u16 = 1;
/// Magic and format.
const HEAD_BYTES: usize = 8;
/// CRC32C over everything before it.
const TAIL_BYTES: usize = 4;

impl Unknown {
    fn keep(&mut self, f: &Field<'_>) {
        self.0.push((f.number, f.bytes.to_vec()));
    }

    fn write(&self, w: &mut Writer) {
        for (number, bytes) in &self.0 {
            w.bytes(*number, bytes);
        }
    }
}

impl Manifest {
    /// The bytes of this manifest.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.out.extend_from_slice(&MAGIC);
        w.out.extend_from_slice(&FORMAT.to_le_bytes());
        for e in &self.live {
            w.nested(1, |w| write_entry(w, e));
        }
        for e in &self.edits {
            w.nested(2, |w| write_edit(w, e));
        }
        for r in &self.removed {
            w.nested(3, |w| {
                r.ids.iter().for_each(|id| w.id(1, id.0));
                w.uint(2, r.since.0);
                r.unknown.write(w);
            });
        }
        self.lost.iter().for_each(|id| w.id(4, id.0));
        self.unknown.write(&mut w);
        let crc = crc32c::crc32c(&w.out);
        w.out.extend_from_slice(&crc.to_le_bytes());
        w.out
    }

    /// Reads a manifest; fields that this version does not know are kept.
    ///
    /// # Errors
    /// [`ManifestError::Corrupt`] when a byte is not what was written, [`ManifestError::Format`] for another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let body = checked_body(bytes)?;
        let mut m = Self::default();
        let mut r = Reader::new(body, HEAD_BYTES);
        while let Some(f) = r.next()? {
            match f.number {
                1 => m.live.push(read_entry(f.nested())?),
                2 => m.edits.push(read_edit(f.nested())?),
                3 => m.removed.push(read_removed(f.nested())?),
                4 => m.lost.push(ObjectId(f.id()?)),
                _ => m.unknown.keep(&f),
            }
        }
        Ok(m)
    }
}

fn checked_body(bytes: &[u8]) -> Result<&[u8], ManifestError> {
    let corrupt = |at_byte, detail: String| ManifestError::Corrupt { at_byte, detail };
    let Some((head, rest)) = bytes.split_at_checked(HEAD_BYTES) else {
        return Err(corrupt(
            0,
            format!("{} bytes long, expected at least {}", bytes.len(), HEAD_BYTES + TAIL_BYTES),
        ));
    };
    let (magic, format) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(corrupt(0, format!("begins with {magic:02x?}, expected {MAGIC:02x?}")));
    }
    let split = rest
        .len()
        .checked_sub(TAIL_BYTES)
        .and_then(|n| rest.split_last_chunk::<TAIL_BYTES>().map(|s| (n, s)));
    let Some((body_bytes, (body, crc))) = split else {
        return Err(corrupt(HEAD_BYTES, "the checksum is missing".to_owned()));
    };
    let expected = u32::from_le_bytes(*crc);
    let got = crc32c::crc32c_append(crc32c::crc32c(head), body);
    if got != expected {
        let detail = format!("checksum is {got:08x}, expected {expected:08x}");
        return Err(corrupt(HEAD_BYTES + body_bytes, detail));
    }
    let found = format.try_into().map_or(0, u16::from_le_bytes);
    if found != FORMAT {
        return Err(ManifestError::Format { found, supported: FORMAT });
    }
    Ok(body)
}

fn write_entry(w: &mut Writer, e: &Entry) {
    let m = &e.meta;
    w.id(1, m.id.0);
    for p in &m.parts {
        w.nested(2, |w| {
            w.bytes(1, p.name.as_bytes());
            w.id(2, p.id.0);
            w.uint(3, p.len_bytes);
        });
    }
    w.uint(3, u64::from(m.level));
    w.uint(4, m.rows);
    w.uint(5, m.time_min.0);
    w.uint(6, m.time_max.0);
    w.uint(7, m.write_time.0);
    w.uint(8, m.log_first.0);
    w.uint(9, m.log_end.0);
    w.uint(10, m.expires_at.0);
    if !m.extra.is_empty() {
        w.bytes(11, &m.extra);
    }
    w.bytes(12, e.tenant.as_bytes());
    e.unknown.write(w);
}

fn read_entry(mut r: Reader<'_>) -> Result<Entry, ManifestError> {
    let mut e = Entry::default();
    let m: &mut ObjectMeta = &mut e.meta;
    while let Some(f) = r.next()? {
        match f.number {
            1 => m.id = ObjectId(f.id()?),
            2 => m.parts.push(read_part(f.nested())?),
            3 => m.level = u8::try_from(f.uint()?).unwrap_or(u8::MAX),
            4 => m.rows = f.uint()?,
            5 => m.time_min = Time(f.uint()?),
            6 => m.time_max = Time(f.uint()?),
            7 => m.write_time = Time(f.uint()?),
            8 => m.log_first = Offset(f.uint()?),
            9 => m.log_end = Offset(f.uint()?),
            10 => m.expires_at = Time(f.uint()?),
            11 => m.extra = f.bytes.to_vec(),
            12 => e.tenant = f.text()?,
            _ => e.unknown.keep(&f),
        }
    }
    Ok(e)
}

fn read_part(mut r: Reader<'_>) -> Result<PartMeta, ManifestError> {
    let mut p = PartMeta { name: String::new(), id: ObjectId(0), len_bytes: 0 };
    while let Some(f) = r.next()? {
        match f.number {
            1 => p.name = f.text()?,
            2 => p.id = ObjectId(f.id()?),
            3 => p.len_bytes = f.uint()?,
            _ => {}
        }
    }
    Ok(p)
}

fn write_edit(w: &mut Writer, e: &Edit) {
    w.bytes(1, &e.matchers);
    w.uint(2, e.time_min.0);
    w.uint(3, e.time_max.0);
    w.uint(4, e.position.0);
}

fn read_edit(mut r: Reader<'_>) -> Result<Edit, ManifestError> {
    let mut e = Edit::default();
    while let Some(f) = r.next()? {
        match f.number {
            1 => e.matchers = f.bytes.to_vec(),
            2 => e.time_min = Time(f.uint()?),
            3 => e.time_max = Time(f.uint()?),
            4 => e.position = Offset(f.uint()?),
            _ => {}
        }
    }
    Ok(e)
}

fn read_removed(mut r: Reader<'_>) -> Result<Removed, ManifestError> {
    let mut out = Removed::default();
    while let Some(f) = r.next()? {
        match f.number {
            1 => out.ids.push(ObjectId(f.id()?)),
            2 => out.since = Time(f.uint()?),
            _ => out.unknown.keep(&f),
        }
    }
    Ok(out)
}
