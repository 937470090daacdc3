//! Reads `Export…ServiceResponse`, the same for all three signals: `{1: {1: rejected, 2: message}}`.
//!
//! Knows: this one message's bytes. Must not know: what a rejected item is. Start at [`partial_success`].

use bytes::Buf;
use shared_proto::otlp::Rejected;

/// What the next hop did not take; a message without a count is a warning and counts as nothing rejected.
pub(super) fn partial_success(mut answer: &[u8]) -> Result<Option<Rejected>, &'static str> {
    let mut found = None;
    while answer.has_remaining() {
        if let (1, Value::Bytes(inner)) = field(&mut answer)? {
            found = read(inner)?;
        }
    }
    Ok(found)
}

fn read(mut inner: &[u8]) -> Result<Option<Rejected>, &'static str> {
    let mut rejected = Rejected { items: 0, first: String::new() };
    while inner.has_remaining() {
        match field(&mut inner)? {
            (1, Value::Number(items)) => rejected.items = items,
            (2, Value::Bytes(text)) => rejected.first = String::from_utf8_lossy(text).into_owned(),
            _ => {}
        }
    }
    let empty = rejected.items == 0 && rejected.first.is_empty();
    Ok((!empty).then_some(rejected))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Skipped,
}

const CUT: &str = "the next hop's answer is not a protobuf message";

fn field<'a>(from: &mut &'a [u8]) -> Result<(u64, Value<'a>), &'static str> {
    let key = varint(from)?;
    let value = match key & 7 {
        0 => Value::Number(varint(from)?),
        1 => skip(from, 8)?,
        2 => {
            let length = usize::try_from(varint(from)?).map_err(|_too_long| CUT)?;
            let (inner, rest) = from.split_at_checked(length).ok_or(CUT)?;
            *from = rest;
            Value::Bytes(inner)
        }
        5 => skip(from, 4)?,
        _ => return Err(CUT),
    };
    Ok((key >> 3, value))
}

fn skip<'a>(from: &mut &'a [u8], bytes: usize) -> Result<Value<'a>, &'static str> {
    let (_, rest) = from.split_at_checked(bytes).ok_or(CUT)?;
    *from = rest;
    Ok(Value::Skipped)
}

fn varint(from: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = from.try_get_u8().map_err(|_at_the_end| CUT)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(CUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_or_refused() {
        let check = |answer: &[u8], expect: Result<Option<(u64, &str)>, &str>| {
            let got =
                partial_success(answer).map(|found| found.map(|rejected| (rejected.items, rejected.first)));
            assert_eq!(
                got,
                expect.map(|found| found.map(|(items, first)| (items, first.to_owned()))),
                "{answer:?}"
            );
        };
        check(b"", Ok(None));
        check(b"\x0a\x00", Ok(None));
        check(b"\x0a\x05\x08\x03\x12\x01x", Ok(Some((3, "x"))));
        check(b"\x0a\x03\x12\x01w", Ok(Some((0, "w"))));
        check(b"\x10\x01\x0a\x02\x08\x05", Ok(Some((5, ""))));
        check(b"\x0a\x7f", Err(CUT));
        check(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Err(CUT));
    }
}
