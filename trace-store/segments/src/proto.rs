//! Protobuf's wire encoding: writing an OTLP span, and going over the fields of one that was validated.
//!
//! Knows: the wire encoding. Must not know: any message. Validation is `shared_proto`'s; [`messages`] is for the second
//! look, which wants attributes, events and links in one go.

/// Numbers of the repeated messages of an OTLP `Span`.
pub(crate) mod span_field {
    pub(crate) const ATTRIBUTE: u32 = 9;
    pub(crate) const EVENT: u32 = 11;
    pub(crate) const LINK: u32 = 13;
}

/// Appends a varint.
#[inline]
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[inline]
fn tag(out: &mut Vec<u8>, number: u32, wire: u32) {
    varint(out, u64::from(number << 3 | wire));
}

/// Appends a length-delimited field, also when it is empty.
#[inline]
pub(crate) fn bytes(out: &mut Vec<u8>, number: u32, body: &[u8]) {
    tag(out, number, 2);
    varint(out, body.len() as u64);
    out.extend_from_slice(body);
}

/// Appends a length-delimited field unless it is empty.
#[inline]
pub(crate) fn bytes_unless_empty(out: &mut Vec<u8>, number: u32, body: &[u8]) {
    if !body.is_empty() {
        bytes(out, number, body);
    }
}

/// Appends a varint field, also when it is 0.
#[inline]
pub(crate) fn number(out: &mut Vec<u8>, number: u32, value: u64) {
    tag(out, number, 0);
    varint(out, value);
}

/// Appends an unsigned field unless it is 0.
#[inline]
pub(crate) fn number_unless_zero(out: &mut Vec<u8>, field: u32, value: u32) {
    if value != 0 {
        number(out, field, u64::from(value));
    }
}

/// Appends an enum field unless it is 0; negative numbers take ten bytes, as in protobuf.
#[inline]
pub(crate) fn enum_unless_zero(out: &mut Vec<u8>, field: u32, value: i32) {
    if value != 0 {
        number(out, field, i64::from(value).cast_unsigned());
    }
}

/// Appends a 64-bit field, also when it is 0.
#[inline]
pub(crate) fn fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    tag(out, number, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a 32-bit field unless it is 0.
#[inline]
pub(crate) fn fixed32_unless_zero(out: &mut Vec<u8>, number: u32, value: u32) {
    if value != 0 {
        tag(out, number, 5);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Appends a message field whose body `write` appends.
#[inline]
pub(crate) fn message<R>(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    tag(out, number, 2);
    let at = out.len();
    out.push(0);
    let result = write(out);
    let len = out.len() - at - 1;
    match u8::try_from(len) {
        Ok(short) if short < 0x80 => {
            if let Some(byte) = out.get_mut(at) {
                *byte = short;
            }
        }
        _ => {
            let mut prefix = Vec::with_capacity(10);
            varint(&mut prefix, len as u64);
            out.splice(at..=at, prefix);
        }
    }
    result
}

/// The length-delimited fields of a message, by number, in order. For bytes that were parsed before: ends where they
/// make no sense.
pub(crate) fn messages(message: &[u8]) -> Messages<'_> {
    Messages { rest: message }
}

/// See [`messages`].
#[derive(Debug, Clone)]
pub(crate) struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    #[inline]
    fn varint(&mut self) -> Option<u64> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    #[inline]
    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// Passes over a group, whose start was read.
    #[cold]
    fn skip_group(&mut self) -> Option<()> {
        let mut depth = 1;
        while depth > 0 {
            match self.varint()? & 7 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let len = self.varint()?;
                    self.take(len)?;
                }
                3 => depth += 1,
                4 => depth -= 1,
                5 => drop(self.take(4)?),
                _ => return None,
            }
        }
        Some(())
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = (u32, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let tag = self.varint()?;
            match tag & 7 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let len = self.varint()?;
                    return Some((u32::try_from(tag >> 3).ok()?, self.take(len)?));
                }
                3 => self.skip_group()?,
                5 => drop(self.take(4)?),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_in_order_whatever_lies_between_them() {
        let mut out = Vec::new();
        number(&mut out, 6, 300);
        bytes(&mut out, 9, b"a");
        fixed64(&mut out, 7, u64::MAX);
        out.extend_from_slice(&[0x1b, 0x08, 0x01, 0x13, 0x14, 0x12, 0x01, 0xff, 0x1c]);
        message(&mut out, 11, |out| out.extend_from_slice(&[b'x'; 200]));
        fixed32_unless_zero(&mut out, 16, 1);
        bytes(&mut out, 9, b"");
        let long = [b'x'; 200];
        let found: Vec<_> = messages(&out).collect();
        assert_eq!(found, [(9, b"a".as_slice()), (11, long.as_slice()), (9, b"".as_slice())]);
        for len in 0..out.len() {
            assert!(messages(&out[..len]).count() <= 3);
        }
    }
}
