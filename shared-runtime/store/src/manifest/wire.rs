//! Fields: (number, length, bytes), numbers and lengths as LEB128, so that a reader can pass over what it does not know.
//!
//! Knows: fields. Must not know: what they mean (`format.rs`).

use super::ManifestError;

/// Appends fields to a buffer.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
}

impl Writer {
    pub(super) fn varint(&mut self, mut v: u64) {
        loop {
            let low = (v & 0x7f).to_le_bytes()[0];
            v >>= 7;
            if v == 0 {
                self.out.push(low);
                return;
            }
            self.out.push(low | 0x80);
        }
    }

    pub(super) fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.varint(number);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// A number field; zero is left out.
    pub(super) fn uint(&mut self, number: u64, v: u64) {
        if v != 0 {
            let mut inner = Self::default();
            inner.varint(v);
            self.bytes(number, &inner.out);
        }
    }

    pub(super) fn id(&mut self, number: u64, id: u128) {
        self.bytes(number, &id.to_be_bytes());
    }

    pub(super) fn nested(&mut self, number: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(number, &inner.out);
    }
}

/// Walks over the fields of a buffer that begins at byte `base` of the manifest.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    base: usize,
}

/// One field: its number, and its bytes with their place.
pub(super) struct Field<'a> {
    pub(super) number: u64,
    pub(super) bytes: &'a [u8],
    at_byte: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], base: usize) -> Self {
        Self { rest: bytes, base }
    }

    fn corrupt(&self, detail: impl Into<String>) -> ManifestError {
        ManifestError::Corrupt { at_byte: self.base, detail: detail.into() }
    }

    fn varint(&mut self) -> Result<u64, ManifestError> {
        let mut v = 0u64;
        for shift in (0..64).step_by(7) {
            let Some((&b, rest)) = self.rest.split_first() else {
                return Err(self.corrupt("a number is cut off"));
            };
            self.rest = rest;
            self.base += 1;
            v |= u64::from(b & 0x7f) << shift;
            if b & 0x80 == 0 {
                return Ok(v);
            }
        }
        Err(self.corrupt("a number is longer than 64 bits"))
    }

    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, ManifestError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let number = self.varint()?;
        let len = self.varint()?;
        let split = usize::try_from(len).ok().and_then(|n| self.rest.split_at_checked(n));
        let Some((bytes, rest)) = split else {
            let detail = format!("field {number} says it has {len} bytes, {} are left", self.rest.len());
            return Err(self.corrupt(detail));
        };
        let field = Field { number, bytes, at_byte: self.base };
        self.rest = rest;
        self.base += bytes.len();
        Ok(Some(field))
    }
}

impl<'a> Field<'a> {
    fn corrupt(&self, detail: impl Into<String>) -> ManifestError {
        ManifestError::Corrupt { at_byte: self.at_byte, detail: detail.into() }
    }

    pub(super) fn uint(&self) -> Result<u64, ManifestError> {
        let mut r = Reader::new(self.bytes, self.at_byte);
        let v = r.varint()?;
        if r.rest.is_empty() { Ok(v) } else { Err(self.corrupt("bytes follow a number")) }
    }

    pub(super) fn id(&self) -> Result<u128, ManifestError> {
        let bytes: [u8; 16] = self
            .bytes
            .try_into()
            .map_err(|_len| self.corrupt(format!("an id has {} bytes, expected 16", self.bytes.len())))?;
        Ok(u128::from_be_bytes(bytes))
    }

    pub(super) fn text(&self) -> Result<String, ManifestError> {
        std::str::from_utf8(self.bytes)
            .map(str::to_owned)
            .map_err(|e| self.corrupt(format!("a text is not UTF-8: {e}")))
    }

    pub(super) fn nested(&self) -> Reader<'a> {
        Reader::new(self.bytes, self.at_byte)
    }
}
