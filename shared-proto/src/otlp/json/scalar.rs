//! Single values of OTLP/JSON: numbers in all their spellings, enums, ids, base64.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::lexer::Token;
use crate::otlp::schema::Kind;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Base64 of either alphabet, padded or not.
pub(super) fn base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let url = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url { &URL } else { &STANDARD };
    engine.decode(text).map_err(|error| format!("expected base64: {error}"))
}

/// Padded base64 of the standard alphabet.
pub(super) fn put_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// An id of `len` bytes in hex digits of any case, or none.
pub(super) fn hex(text: &[u8], len: usize) -> Result<Vec<u8>, String> {
    if !text.is_empty() && text.len() != 2 * len {
        return Err(format!("expected {} hex digits or none, found {} characters", 2 * len, text.len()));
    }
    text.chunks_exact(2).map(byte).collect()
}

fn byte(pair: &[u8]) -> Result<u8, String> {
    let digits = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'));
    let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    value.ok_or_else(|| format!("expected hex digits, found {:?}", String::from_utf8_lossy(pair)))
}

/// A number, truth value or enum as the bits that go on the wire.
pub(super) fn bits(kind: &Kind, token: &Token<'_>) -> Result<u64, String> {
    if *token == Token::Null {
        return Ok(0);
    }
    let signed = |value: i64| value.cast_unsigned();
    match kind {
        Kind::Bool => match token {
            Token::Bool(value) => Ok(u64::from(*value)),
            other => Err(format!("expected true or false, found {}", other.what())),
        },
        Kind::Double => double(token).map(f64::to_bits),
        Kind::Enum(names) => enumeration(names, token).map(|value| signed(i64::from(value))),
        Kind::Int32 => integer::<i32>(token).map(|value| signed(i64::from(value))),
        Kind::SInt32 => {
            integer::<i32>(token).map(|value| u64::from((value << 1 ^ value >> 31).cast_unsigned()))
        }
        Kind::UInt32 | Kind::Fixed32 => integer::<u32>(token).map(u64::from),
        Kind::Int64 | Kind::SFixed64 => integer::<i64>(token).map(signed),
        _ => integer::<u64>(token),
    }
}

/// A number's text, bare or in quotes.
fn text<'t>(token: &'t Token<'_>) -> Option<&'t str> {
    match token {
        Token::Number(text) => Some(text),
        Token::String(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

fn integer<T: TryFrom<i128>>(token: &Token<'_>) -> Result<T, String> {
    let Some(text) = text(token) else { return Err(format!("expected an integer, found {}", token.what())) };
    let whole = match text.parse::<i128>() {
        Ok(whole) if !text.starts_with('+') => Some(whole),
        _ => fractionless(text),
    };
    let whole = whole.ok_or_else(|| format!("expected an integer, found {}", shown(text)))?;
    T::try_from(whole).map_err(|_out_of_range| format!("{} is out of range", shown(text)))
}

/// `1.0` and `1e3` are integers too.
fn fractionless(text: &str) -> Option<i128> {
    let value: f64 = text.parse().ok().filter(|_| starts_as_number(text))?;
    // beyond 2^64 no field holds it; below, the cast is exact for a number without fraction
    let fits = value.fract() == 0.0 && value.abs() <= 18_446_744_073_709_551_616.0;
    #[expect(clippy::cast_possible_truncation, reason = "an integer within ±2^64, checked above")]
    fits.then_some(value as i128)
}

fn double(token: &Token<'_>) -> Result<f64, String> {
    let Some(text) = text(token) else { return Err(format!("expected a number, found {}", token.what())) };
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        _ => {
            let value = text.parse().ok().filter(|_| starts_as_number(text));
            value.ok_or_else(|| format!("expected a number, found {}", shown(text)))
        }
    }
}

/// Keeps out what only Rust reads as a number: `inf`, `nan`, `+1`, `.5`.
fn starts_as_number(text: &str) -> bool {
    text.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit())
}

fn enumeration(names: &[(&str, i32)], token: &Token<'_>) -> Result<i32, String> {
    if let Token::String(text) = token
        && let Some((_, value)) = names.iter().find(|(name, _)| name.as_bytes() == &**text)
    {
        return Ok(*value);
    }
    integer(token)
}

fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(32).collect::<String>())
}
