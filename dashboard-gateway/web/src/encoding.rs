//! What a client's `Accept-Encoding` allows.
//!
//! Knows: RFC 9110 §12.5.3. Must not know: files. Start at [`accepted`].

use http::{HeaderMap, header};

/// A content coding that we hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

impl Encoding {
    /// As in `content-encoding`.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// Sets the entity tags of one file's forms apart.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gz",
            Self::Brotli => "-br",
        }
    }
}

/// Codings that the client takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) br: bool,
    pub(crate) gzip: bool,
}

/// Reads `Accept-Encoding`; none means identity alone.
pub(crate) fn accepted(request: &HeaderMap) -> Accepted {
    let (mut br, mut gzip, mut any) = (None, None, None);
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    for part in values.flat_map(|v| v.split(',')) {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let weight = parameters.trim().strip_prefix("q=").or_else(|| parameters.trim().strip_prefix("Q="));
        let takes = weight.is_none_or(|q| q.trim().parse::<f32>().is_ok_and(|q| q > 0.0));
        match name.trim().to_ascii_lowercase().as_str() {
            "br" => br = Some(takes),
            "gzip" | "x-gzip" => gzip = Some(takes),
            "*" => any = Some(takes),
            _ => {}
        }
    }
    let any = any.unwrap_or(false);
    Accepted { br: br.unwrap_or(any), gzip: gzip.unwrap_or(any) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_taken_as_the_client_says() {
        let check = |text: &str, br: bool, gzip: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, text.parse().unwrap());
            assert_eq!(accepted(&headers), Accepted { br, gzip }, "{text}");
        };
        check("gzip, deflate, br, zstd", true, true);
        check("gzip", false, true);
        check("br;q=0, gzip;q=0.5", false, true);
        check("*", true, true);
        check("*;q=0", false, false);
        check("*, br;q=0.0", false, true);
        check("identity", false, false);
        check("gzip;q=nonsense", false, false);
        assert_eq!(accepted(&HeaderMap::new()), Accepted::default());
    }
}
