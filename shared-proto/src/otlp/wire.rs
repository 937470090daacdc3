//! The protobuf wire format: tags, varints, byte ranges, groups.
//!
//! Knows: the encoding (<https://protobuf.dev/programming-guides/encoding/>). Must not know: any message.

use super::Malformed;

/// How deep unknown groups may nest; prost and protobuf C++ stop at the same depth.
const GROUPS_MAX: usize = 100;

/// A position in bytes that only moves forward and always knows its offset in the whole request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of the end of `rest` in the request.
    end_at: usize,
}

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(crate) value: Value<'a>,
}

/// A field's value by wire type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Reader<'a>),
    /// A whole group, skipped.
    Group,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes, end_at: bytes.len() }
    }

    /// Offset of the next byte in the request.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.end_at - self.rest.len()
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field's number and wire type; `None` at the end of the message.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<Option<(u32, u8)>, Malformed> {
        let Some((&first, rest)) = self.rest.split_first() else { return Ok(None) };
        if first < 0x80 {
            if first < 8 {
                return Err(Malformed::new(self.at(), "a field number is 0"));
            }
            self.rest = rest;
            return Ok(Some((u32::from(first >> 3), first & 7)));
        }
        self.long_tag().map(Some)
    }

    fn long_tag(&mut self) -> Result<(u32, u8), Malformed> {
        let at = self.at();
        let key = self.varint()?;
        let Ok(key) = u32::try_from(key) else {
            return Err(Malformed::with(at, "a field number is too large", key >> 3));
        };
        if key < 8 {
            return Err(Malformed::new(at, "a field number is 0"));
        }
        let wire = u8::try_from(key & 7).unwrap_or(7);
        Ok((key >> 3, wire))
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [a, rest @ ..] if *a < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*a))
            }
            [a, b, rest @ ..] if *b < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*a & 0x7f) | u64::from(*b) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for (i, &byte) in self.rest.iter().take(10).enumerate() {
            if i == 9 && byte > 1 {
                return Err(Malformed::new(self.at(), "a varint is longer than 64 bits"));
            }
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.rest = self.rest.get(i + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Malformed::new(self.at(), "a varint ends in the middle"))
    }

    #[inline]
    pub(crate) fn fixed64(&mut self) -> Result<u64, Malformed> {
        match self.rest.split_first_chunk::<8>() {
            Some((chunk, rest)) => {
                self.rest = rest;
                Ok(u64::from_le_bytes(*chunk))
            }
            None => Err(Malformed::with(self.at(), "a 64-bit value ends in the middle", self.left())),
        }
    }

    #[inline]
    pub(crate) fn fixed32(&mut self) -> Result<u32, Malformed> {
        match self.rest.split_first_chunk::<4>() {
            Some((chunk, rest)) => {
                self.rest = rest;
                Ok(u32::from_le_bytes(*chunk))
            }
            None => Err(Malformed::with(self.at(), "a 32-bit value ends in the middle", self.left())),
        }
    }

    /// The body of a length-delimited field.
    #[inline]
    pub(crate) fn body(&mut self) -> Result<Reader<'a>, Malformed> {
        let at = self.at();
        let len = self.varint()?;
        let split = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        match split {
            Some((body, rest)) => {
                self.rest = rest;
                Ok(Reader { rest: body, end_at: self.at() })
            }
            None => Err(Malformed::with(at, "a length reaches beyond the end of its message", len)),
        }
    }

    /// The next field with its value; `None` at the end of the message.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        let Some((number, wire)) = self.tag()? else { return Ok(None) };
        let value = match wire {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed64()?),
            2 => Value::Bytes(self.body()?),
            5 => Value::Fixed32(self.fixed32()?),
            _ => {
                self.skip(number, wire)?;
                Value::Group
            }
        };
        Ok(Some(Field { number, value }))
    }

    /// Skips the value of a field whose tag was read.
    #[inline]
    pub(crate) fn skip(&mut self, number: u32, wire: u8) -> Result<(), Malformed> {
        match wire {
            0 => self.varint().map(drop),
            1 => self.fixed64().map(drop),
            2 => self.body().map(drop),
            3 => self.skip_group(number),
            5 => self.fixed32().map(drop),
            4 => Err(Malformed::with(
                self.at(),
                "a group ends that did not begin, field number",
                number.into(),
            )),
            _ => Err(Malformed::with(self.at(), "a wire type is unknown", wire.into())),
        }
    }

    /// Skips to the end of the group `number`, iteratively: hostile nesting costs no stack.
    #[cold]
    fn skip_group(&mut self, number: u32) -> Result<(), Malformed> {
        let at = self.at();
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let Some((number, wire)) = self.tag()? else {
                return Err(Malformed::with(at, "a group does not end, field number", innermost.into()));
            };
            match wire {
                3 if open.len() >= GROUPS_MAX => {
                    return Err(Malformed::with(
                        at,
                        "groups nest too deeply, deeper than",
                        open.len() as u64,
                    ));
                }
                3 => open.push(number),
                4 if number == innermost => {
                    open.pop();
                }
                _ => self.skip(number, wire)?,
            }
        }
        Ok(())
    }

    fn left(&self) -> u64 {
        self.rest.len() as u64
    }
}

/// The number of bytes of a varint.
#[inline]
pub(crate) fn varint_len(value: usize) -> usize {
    let bits = (usize::BITS - (value | 1).leading_zeros()) as usize;
    bits.div_ceil(7)
}

/// Appends a varint.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Starts a length-delimited value; [`end`] writes its length, given what this returned.
pub(crate) fn begin(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Ends a length-delimited value: everything since `start` is its body.
pub(crate) fn end(out: &mut Vec<u8>, start: usize) {
    let len = out.len().saturating_sub(start);
    let len_bytes = varint_len(len);
    if len_bytes > 1 {
        out.resize(out.len() + len_bytes - 1, 0);
        out.copy_within(start..start + len, start + len_bytes - 1);
    }
    let mut value = len;
    for byte in out.iter_mut().skip(start.saturating_sub(1)).take(len_bytes) {
        *byte = value.to_le_bytes()[0] & 0x7f | if value < 0x80 { 0 } else { 0x80 };
        value >>= 7;
    }
}

/// Appends the tag of a field.
pub(crate) fn put_tag(out: &mut Vec<u8>, number: u32, wire: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire));
}

/// Appends a length-delimited field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
