//! Query strings, read as Go reads them.
//!
//! Knows: pairs and escapes. Must not know: which parameters there are. Start at [`Params::parse`].

use percent_encoding::percent_decode_str;

use crate::go;

use super::refusal::Refusal;

/// The pairs of a query string in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string. Pairs with a broken escape or a semicolon are skipped, as Go does.
    pub(crate) fn parse(query: Option<&str>) -> Self {
        let pairs =
            query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        let unescaped = pairs.filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescape(key)?, unescape(value)?))
        });
        Self(unescaped.collect())
    }

    /// The first value of `key`; empty when there is none.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// All values of `key`.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// The first of `names` that is not empty, with its name; the last name when all are.
    pub(crate) fn first_of<'a>(&self, names: &[&'a str]) -> (&'a str, &str) {
        let found = names.iter().find(|name| !self.get(name).is_empty()).or(names.last());
        found.map_or(("", ""), |name| (*name, self.get(name)))
    }

    /// A truth value; absent or empty is `false`.
    ///
    /// # Errors
    /// Jaeger's text.
    pub(crate) fn bool(&self, key: &str) -> Result<bool, Refusal> {
        match self.get(key) {
            "" => Ok(false),
            text => go::parse_bool(text).map_err(|e| unparsable(key, &e)),
        }
    }

    /// A whole number; `None` when absent or empty.
    ///
    /// # Errors
    /// Jaeger's text.
    pub(crate) fn int(&self, key: &str) -> Result<Option<i64>, Refusal> {
        match self.get(key) {
            "" => Ok(None),
            text => go::parse_int(text, "ParseInt").map(Some).map_err(|e| unparsable(key, &e)),
        }
    }

    /// A duration in nanoseconds; absent or empty is 0.
    ///
    /// # Errors
    /// Jaeger's text.
    pub(crate) fn duration(&self, key: &str) -> Result<i64, Refusal> {
        match self.get(key) {
            "" => Ok(0),
            text => go::parse_duration(text).map_err(|e| unparsable(key, &e)),
        }
    }

    /// Whether the answer is to be indented.
    pub(crate) fn pretty(&self) -> bool {
        !matches!(self.get("prettyPrint"), "" | "false")
    }
}

/// Jaeger's words for a parameter that it cannot read.
pub(crate) fn unparsable(key: &str, why: &str) -> Refusal {
    Refusal::invalid(format!("unable to parse param '{key}': {why}"))
}

/// `url.QueryUnescape`; `None` when an escape is broken.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let broken = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit))
    };
    if bytes.iter().enumerate().any(|(at, b)| *b == b'%' && broken(at)) {
        return None;
    }
    let spaced = text.replace('+', " ");
    Some(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_read_as_go_reads_them() {
        let params = Params::parse(Some("a=1&b=x+y%26z&a=2&c&&%zz=1&d=1;e=2&=empty"));
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(
            (params.get("b"), params.get("c"), params.get("d"), params.get("")),
            ("x y&z", "", "", "empty")
        );
        assert_eq!(params.first_of(&["none", "b", "a"]), ("b", "x y&z"));
        assert_eq!(params.first_of(&["none", "nothing"]), ("nothing", ""));
    }

    #[test]
    fn wrong_values_fail_with_jaegers_words() {
        let params = Params::parse(Some("start=x&raw=2&minDuration=5&prettyPrint"));
        let text = |refusal: Refusal| refusal.message().to_owned();
        assert_eq!(
            text(params.int("start").unwrap_err()),
            r#"unable to parse param 'start': strconv.ParseInt: parsing "x": invalid syntax"#
        );
        assert_eq!(
            text(params.bool("raw").unwrap_err()),
            r#"unable to parse param 'raw': strconv.ParseBool: parsing "2": invalid syntax"#
        );
        assert_eq!(
            text(params.duration("minDuration").unwrap_err()),
            r#"unable to parse param 'minDuration': time: missing unit in duration "5""#
        );
        assert!(!params.pretty());
        assert!(Params::parse(Some("prettyPrint=1")).pretty());
    }
}
