//! Parameters and texts as Go writes them: clients of Jaeger have learnt its parsers' rules and error messages.
//!
//! Knows: the grammars of Go's `strconv`, `time.ParseDuration`, `time.Parse(RFC3339Nano)` and the formats of
//! `time.Duration` and `time.Time`. Must not know: HTTP, traces. Start at [`parse_duration`].

mod duration;
mod time;

pub(crate) use duration::{format_duration, parse_duration};
pub(crate) use time::{format_rfc3339, format_time, parse_rfc3339};

/// A text in double quotes, as Go's `strconv.Quote` writes it.
pub(crate) fn quote(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\u{7}' => out.push_str("\\a"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{b}' => out.push_str("\\v"),
                c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
                c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// `strconv.ParseBool`.
///
/// # Errors
/// Go's text.
pub(crate) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {}: invalid syntax", quote(text.as_bytes()))),
    }
}

/// `strconv.ParseInt(text, 10, 64)`; `function` is the name that Go's error would carry (`ParseInt` or `Atoi`).
///
/// # Errors
/// Go's text.
pub(crate) fn parse_int(text: &str, function: &str) -> Result<i64, String> {
    let failed = |why: &str| format!("strconv.{function}: parsing {}: {why}", quote(text.as_bytes()));
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(failed("invalid syntax"));
    }
    text.parse().map_err(|_out_of_range| failed("value out of range"))
}

/// `strconv.ParseInt(text, 10, 32)`.
///
/// # Errors
/// Go's text.
pub(crate) fn parse_int32(text: &str) -> Result<i32, String> {
    let out_of_range =
        |_too_large| format!("strconv.ParseInt: parsing {}: value out of range", quote(text.as_bytes()));
    parse_int(text, "ParseInt").and_then(|n| i32::try_from(n).map_err(out_of_range))
}

/// `strconv.ParseUint(text, 16, 64)` over bytes, because Go cuts ids into halves without regard to characters.
///
/// # Errors
/// Go's text.
pub(crate) fn parse_hex(text: &[u8]) -> Result<u64, String> {
    let failed = |why: &str| format!("strconv.ParseUint: parsing {}: {why}", quote(text));
    if text.is_empty() {
        return Err(failed("invalid syntax"));
    }
    let mut value = 0_u64;
    for byte in text {
        let digit = char::from(*byte).to_digit(16).ok_or_else(|| failed("invalid syntax"))?;
        value = value
            .checked_mul(16)
            .map(|v| v | u64::from(digit))
            .ok_or_else(|| failed("value out of range"))?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_booleans_fail_with_gos_words() {
        assert_eq!(parse_int("-5", "ParseInt"), Ok(-5));
        assert_eq!(parse_int("+5", "ParseInt"), Ok(5));
        let check = |text: &str, expect: &str| assert_eq!(parse_int32(text).unwrap_err(), expect);
        check("x", r#"strconv.ParseInt: parsing "x": invalid syntax"#);
        check("1.5", r#"strconv.ParseInt: parsing "1.5": invalid syntax"#);
        check("", r#"strconv.ParseInt: parsing "": invalid syntax"#);
        check("+-1", r#"strconv.ParseInt: parsing "+-1": invalid syntax"#);
        check("99999999999", r#"strconv.ParseInt: parsing "99999999999": value out of range"#);
        check(
            "99999999999999999999",
            r#"strconv.ParseInt: parsing "99999999999999999999": value out of range"#,
        );
        assert_eq!(parse_bool("T"), Ok(true));
        assert_eq!(parse_bool("2"), Err(r#"strconv.ParseBool: parsing "2": invalid syntax"#.to_owned()));
    }

    #[test]
    fn quotes_escape_what_go_escapes() {
        let check = |text: &[u8], expect: &str| assert_eq!(quote(text), expect);
        check("абв".as_bytes(), "\"абв\"");
        check(b"a\"\\\n\0", r#""a\"\\\n\x00""#);
        check(b"\xd0", r#""\xd0""#);
    }
}
