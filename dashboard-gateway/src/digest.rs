//! Secrets that we hand out: 256 random bits, kept as a hash, compared in constant time.
//!
//! Knows: randomness, SHA-256, the text form of an API token. Must not know: what a secret opens. Start at
//! [`fresh`]; a random value of 256 bits needs no slow hash, since nobody can guess it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use runtime_service::Secret;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Begins every API token, so that scanners find leaked ones.
const TOKEN_PREFIX: &str = "ycsa_";
/// Hex digits of the checksum that ends an API token.
const CHECKSUM_DIGITS: usize = 8;

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub(crate) struct NoRandomness(String);

/// Fills with random bytes of the system.
///
/// # Errors
/// When the system has none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|e| NoRandomness(e.to_string()))?;
    Ok(bytes)
}

/// A new secret of 256 random bits, as text for cookies.
///
/// # Errors
/// When the system has no randomness.
pub(crate) fn fresh() -> Result<Secret, NoRandomness> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// A new API token: prefix, 256 random bits, checksum.
///
/// # Errors
/// When the system has no randomness.
pub(crate) fn fresh_token() -> Result<Secret, NoRandomness> {
    let secret = fresh()?;
    let body = secret.reveal();
    Ok(Secret::new(format!("{TOKEN_PREFIX}{body}_{:08x}", crc32c::crc32c(body.as_bytes()))))
}

/// Whether it has the form of an API token: a typing error is told from a revoked token without asking the database.
pub(crate) fn is_token(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(TOKEN_PREFIX) else { return false };
    let Some((body, checksum)) = rest.rsplit_once('_') else { return false };
    checksum.len() == CHECKSUM_DIGITS
        && u32::from_str_radix(checksum, 16).is_ok_and(|sum| sum == crc32c::crc32c(body.as_bytes()))
}

/// What is kept of a secret: SHA-256 in hex.
pub(crate) fn digest(secret: &str) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

/// Compares without telling by its duration where the first difference is.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_typing_errors() {
        let token = fresh_token().unwrap();
        let text = token.reveal();
        assert!(is_token(text) && text.starts_with("ycsa_") && text.len() == 5 + 43 + 1 + 8);
        assert_ne!(text, fresh_token().unwrap().reveal());
        for at in 5..text.len() {
            let mut wrong: Vec<char> = text.chars().collect();
            wrong[at] = if wrong[at] == 'a' { 'b' } else { 'a' };
            let wrong: String = wrong.into_iter().collect();
            assert!(wrong == text || !is_token(&wrong), "{wrong}");
        }
        for text in ["", "ycsa_", "ycsa__00000001", "glsa_x_00000000", "ycsa_x_zz"] {
            assert!(!is_token(text), "{text}");
        }
    }

    #[test]
    fn a_digest_says_nothing_and_is_stable() {
        let expect = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest("abc"), expect);
        assert!(same(b"abc", b"abc") && !same(b"abc", b"abd") && !same(b"abc", b"ab"));
    }
}
