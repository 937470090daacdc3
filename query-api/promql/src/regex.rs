//! Regular expressions as Prometheus has them: RE2's language, matching the whole text.
//!
//! Knows: where RE2 (Go's `regexp`) and Rust's `regex` differ. Must not know: labels. Start at [`Pattern`].
//!
//! Both are automata without backtracking, so no pattern can take longer than linear time. They differ in syntax:
//! RE2's `\d \w \s \b` are ASCII, `\Q…\E` quotes, octal escapes exist, a brace that starts no repetition stands for
//! itself, and classes do not nest; Rust knows flags, class operations and word boundaries that RE2 refuses.
//! `translate` reads RE2 and writes what means the same in Rust, and refuses what RE2 refuses, in its words.

mod class;
mod translate;

use std::sync::Arc;

/// Why a text is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {0}")]
pub struct PatternError(pub(crate) String);

/// RE2 refuses programs beyond a budget; this one is ours, well above what Go accepts.
const PROGRAM_BYTES_MAX: usize = 32 << 20;

/// A compiled regular expression that must match a whole text.
#[derive(Debug, Clone)]
pub struct Pattern(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    regex: regex::Regex,
    /// The texts that match, if the pattern is a plain list of them.
    literals: Option<Vec<String>>,
}

impl Pattern {
    /// Compiles `^(?s:text)$`.
    ///
    /// # Errors
    /// When RE2 would refuse `text`, or the program is too large.
    pub fn anchored(text: &str) -> Result<Self, PatternError> {
        // what is read is the anchored text, as in Prometheus: `a)|(b` closes the group around it
        let translated = translate::to_rust(&format!("^(?s:{text})$"))?;
        let regex = regex::RegexBuilder::new(&translated)
            .size_limit(PROGRAM_BYTES_MAX)
            .build()
            .map_err(|e| refused(text, &e))?;
        Ok(Self(Arc::new(Compiled { regex, literals: literals(text) })))
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        match &self.0.literals {
            Some(literals) => literals.iter().any(|l| l == text),
            None => self.0.regex.is_match(text),
        }
    }

    /// The only texts that match, where the pattern is a plain list such as `a|b|c`.
    #[must_use]
    pub fn literals(&self) -> Option<&[String]> {
        self.0.literals.as_deref()
    }

    /// What `template` (Go's `$1`, `${name}`) becomes with the groups of a match; nothing if `text` does not match.
    #[must_use]
    pub fn expand(&self, text: &str, template: &str) -> Option<String> {
        let captures = self.0.regex.captures(text)?;
        let mut out = String::new();
        captures.expand(template, &mut out);
        Some(out)
    }
}

fn refused(text: &str, error: &regex::Error) -> PatternError {
    match error {
        regex::Error::CompiledTooBig(_) => PatternError(format!("expression too large: `{text}`")),
        other => {
            let reason = other.to_string();
            let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            PatternError(format!("{last}: `{text}`"))
        }
    }
}

/// `a|b|c` without anything that means more than itself.
fn literals(text: &str) -> Option<Vec<String>> {
    const SPECIAL: &[char] = &['\\', '.', '+', '*', '?', '(', ')', '[', ']', '{', '}', '^', '$'];
    (!text.contains(SPECIAL)).then(|| text.split('|').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let compiled = Pattern::anchored(pattern).unwrap();
        for text in yes {
            assert!(compiled.is_match(text), "{pattern} should match {text:?}");
        }
        for text in no {
            assert!(!compiled.is_match(text), "{pattern} should not match {text:?}");
        }
    }

    #[test]
    fn trap_12_patterns_match_whole_texts_as_re2_does() {
        check("a|b", &["a", "b"], &["ab", "", "xa"]);
        check("", &[""], &["a"]);
        check(".*", &["", "line\nbreak"], &[]);
        check("a.c", &["a\nc", "aéc"], &["ac"]);
        check(r"\d+", &["0123"], &["٣", ""]);
        check(r"\w", &["_", "Z"], &["é"]);
        check(r"[\w]", &["a"], &["é"]);
        check(r"[^\w]", &["é", "-"], &["a"]);
        check(r"\s", &[" ", "\t"], &["\u{a0}", "\u{b}"]);
        check(r"x\b.y", &["x-y"], &["xéy\u{0}"]);
        check("(?i)ünïon", &["ÜNÏON", "ünïon"], &["union"]);
        check(r"\Qa.b|c\E+", &["a.b|c", "a.b|cc"], &["axb"]);
        check(r"\x41\x{1F980}\101", &["A🦀A"], &[]);
        check("a{,2}", &["a{,2}"], &["aa"]);
        check("{x}", &["{x}"], &["x"]);
        check("a{2}b{1,}c{0,1}", &["aab", "aabbc"], &["ab"]);
        check("[[a]", &["[", "a"], &["]"]);
        check("[a&&b]", &["&", "a", "b"], &["c"]);
        check(r"\<\_a", &["<_a"], &["a"]);
        check("a)|(b", &["a", "ax", "xb"], &["xa"]);
        check("[]a]", &["]", "a"], &["["]);
        check("[[:alpha:]_]+", &["ab_"], &["é", "1"]);
        check(r"\pL+\P{Greek}", &["éa"], &["éα"]);
        check("(?P<n>a)(?<m>b)(?:c)", &["abc"], &["ab"]);
        check("a+?b*?c??", &["aab", "ac"], &["b"]);
        check("(?m:^a$)", &["a"], &["a\nb"]);
        check("(?U)a+", &["aaa"], &[]);
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for (pattern, message) in [
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{2}+?", "invalid nested repetition operator: `{2}+?`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("(", "missing closing ): `^(?s:()$`"),
            (")", "unexpected ): `^(?s:))$`"),
            ("[a", "missing closing ]: `[a)$`"),
            ("[b-a]", "invalid character class range: `b-a`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("a{2,1}", "invalid repeat count: `{2,1}`"),
            (r"\8", r"invalid escape sequence: `\8`"),
            (r"\1", r"invalid escape sequence: `\1`"),
            (r"a\", r"missing closing ): `^(?s:a\)$`"),
            ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("[[:word:]", "missing closing ]: `[[:word:])$`"),
            ("[[:nope:]]", "invalid character class range: `[:nope:]`"),
            (r"\p{Nonsense}", r"invalid character class range: `\p{Nonsense}`"),
        ] {
            let error = Pattern::anchored(pattern).map(|_| ()).unwrap_err().to_string();
            assert_eq!(error, format!("error parsing regexp: {message}"), "{pattern}");
        }
    }

    #[test]
    fn groups_are_expanded_into_templates() {
        let pattern = Pattern::anchored("(.*)-(?P<n>.*)").unwrap();
        assert_eq!(pattern.expand("a-b", "$1:${n}$$").as_deref(), Some("a:b$"));
        assert_eq!(pattern.expand("ab", "x"), None);
    }
}
