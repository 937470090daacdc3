//! Trace ids as clients write them: short or long hex in any case, or base64.
//!
//! Knows: Jaeger's rules for reading an id. Must not know: HTTP. Start at [`parse`].

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::go;

/// A trace id; ids of 64 bits have a zero upper half.
pub(crate) type TraceId = [u8; 16];

/// Longest hex form.
const HEX_DIGITS_MAX: usize = 32;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Reads an id: up to 32 hex digits, else base64 (standard or URL alphabet, padded or not) of 8 or 16 bytes.
///
/// # Errors
/// The text that Jaeger answers.
pub(crate) fn parse(text: &str) -> Result<TraceId, String> {
    let text = text.as_bytes();
    if text.len() > HEX_DIGITS_MAX {
        let shown = String::from_utf8_lossy(text);
        return Err(format!("TraceID cannot be longer than {HEX_DIGITS_MAX} hex characters: {shown}"));
    }
    from_hex(text).or_else(|not_hex| {
        if text.is_empty() {
            return Err(not_hex);
        }
        let decoded = STANDARD.decode(text).or_else(|_other_alphabet| URL_SAFE.decode(text));
        match decoded {
            Ok(bytes) => from_bytes(&bytes).ok_or_else(|| "invalid length for TraceID".to_owned()),
            Err(_not_base64) => Err(not_hex),
        }
    })
}

fn from_hex(text: &[u8]) -> Result<TraceId, String> {
    let (high, low) = text.split_at(text.len().saturating_sub(16));
    let high = if high.is_empty() { 0 } else { go::parse_hex(high)? };
    let low = go::parse_hex(low)?;
    Ok((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

/// An id from its 16 bytes, or from the lower 8.
pub(crate) fn from_bytes(bytes: &[u8]) -> Option<TraceId> {
    let long = <TraceId>::try_from(bytes).ok();
    long.or_else(|| {
        <[u8; 8]>::try_from(bytes).ok().map(|low| u128::from(u64::from_be_bytes(low)).to_be_bytes())
    })
}

/// Jaeger's v1 form: 16 digits when the upper half is zero, else 32.
pub(crate) fn v1_text(id: TraceId) -> String {
    let number = u128::from_be_bytes(id);
    if number >> 64 == 0 { format!("{number:016x}") } else { format!("{number:032x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_id_is_read() {
        let long = 0xabcd_efab_7ccc_bd9d_9703_6157_4758_188b_u128.to_be_bytes();
        let check = |text: &str, id: TraceId| assert_eq!(parse(text), Ok(id), "{text}");
        check("abcdefab7cccbd9d970361574758188b", long);
        check("ABCDEFAB7CCCBD9D970361574758188B", long);
        check("q83vq3zMvZ2XA2FXR1gYiw==", long);
        check("q83vq3zMvZ2XA2FXR1gYiw", long);
        check("Ym2JJ_QyAAKauTRRpsCY5Q", 0x626d_8927_f432_0002_9ab9_3451_a6c0_98e5_u128.to_be_bytes());
        check("7ccc", 0x7ccc_u128.to_be_bytes());
        check("0000000000007ccc", 0x7ccc_u128.to_be_bytes());
        check("1234567890abcdef01", 0x12_3456_7890_abcd_ef01_u128.to_be_bytes());
        check("0", [0; 16]);
    }

    #[test]
    fn bad_ids_fail_with_jaegers_words() {
        let check = |text: &str, expect: &str| assert_eq!(parse(text).unwrap_err(), expect, "{text}");
        check("g", r#"strconv.ParseUint: parsing "g": invalid syntax"#);
        check("a b", r#"strconv.ParseUint: parsing "a b": invalid syntax"#);
        check("абв", r#"strconv.ParseUint: parsing "абв": invalid syntax"#);
        check("zz", "invalid length for TraceID");
        check("-1", "invalid length for TraceID");
        let long = "0x00000000000000007cccbd9d97036157";
        check(long, &format!("TraceID cannot be longer than 32 hex characters: {long}"));
        check("", r#"strconv.ParseUint: parsing "": invalid syntax"#);
    }

    #[test]
    fn ids_are_printed_with_sixteen_or_thirty_two_digits() {
        assert_eq!(v1_text(0x7ccc_u128.to_be_bytes()), "0000000000007ccc");
        assert_eq!(v1_text((1_u128 << 64).to_be_bytes()), "00000000000000010000000000000000");
    }
}
