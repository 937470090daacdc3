//! Characters and classes of RE2.
//!
//! Knows: `[…]`, `\d`, `\pL`, escapes of one character. Must not know: groups and repetitions.

use super::PatternError;

/// A place in a pattern.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn whole(&self) -> &'a str {
        self.text
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    /// Reads a backslash and what it escapes.
    pub(super) fn escaped_char(&mut self) -> Result<char, PatternError> {
        let from = self.at;
        self.next();
        let Some(c) = self.next() else {
            return Err(PatternError("trailing backslash at end of expression: ``".to_owned()));
        };
        let found = match c {
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '0' => self.octal(0),
            '1'..='7' if matches!(self.peek(), Some('0'..='7')) => self.octal(u32::from(c) - u32::from('0')),
            'x' => self.hexadecimal(),
            _ => None,
        };
        found.ok_or_else(|| PatternError(format!("invalid escape sequence: `{}`", self.since(from))))
    }

    fn octal(&mut self, first: u32) -> Option<char> {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else { break };
            value = value * 8 + digit;
            self.next();
        }
        char::from_u32(value)
    }

    fn hexadecimal(&mut self) -> Option<char> {
        if self.eat("{") {
            let (digits, _) = self.rest().split_once('}')?;
            self.skip(digits.len() + 1);
            return u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        }
        let high = self.next()?.to_digit(16)?;
        char::from_u32(high * 16 + self.next()?.to_digit(16)?)
    }

    /// Reads `[…]` and writes it as Rust has it, where brackets and operators inside mean something else.
    pub(super) fn class(&mut self) -> Result<String, PatternError> {
        let from = self.at;
        let text = self.text;
        let open = || PatternError(format!("missing closing ]: `{}`", text.get(from..).unwrap_or_default()));
        self.next();
        let mut out = String::from(if self.eat("^") { "[^" } else { "[" });
        let mut first = true;
        while first || self.peek() != Some(']') {
            first = false;
            if self.peek().is_none() {
                return Err(open());
            }
            if let Some(posix) = posix_class(self)? {
                out.push_str(posix);
            } else if let Some(perl) = perl_class(self) {
                out.push_str(perl);
            } else if let Some(unicode) = unicode_class(self)? {
                out.push_str(&unicode);
            } else {
                self.range(&mut out).map_err(|e| e.unwrap_or_else(open))?;
            }
        }
        self.next();
        out.push(']');
        Ok(out)
    }

    /// One character or a range of them; without an error inside, the class does not end.
    fn range(&mut self, out: &mut String) -> Result<(), Option<PatternError>> {
        let from = self.at;
        let low = self.class_char()?;
        let ranged = self.rest().strip_prefix('-').is_some_and(|r| !r.is_empty() && !r.starts_with(']'));
        let high = if ranged {
            self.next();
            self.class_char()?
        } else {
            low
        };
        if high < low {
            return Err(Some(PatternError(format!("invalid character class range: `{}`", self.since(from)))));
        }
        out.push_str(&format!("\\x{{{:X}}}-\\x{{{:X}}}", u32::from(low), u32::from(high)));
        Ok(())
    }

    fn class_char(&mut self) -> Result<char, Option<PatternError>> {
        match self.peek() {
            None => Err(None),
            Some('\\') => self.escaped_char().map_err(Some),
            Some(c) => {
                self.next();
                Ok(c)
            }
        }
    }
}

/// `[:alpha:]` inside a class; ASCII in both.
fn posix_class<'a>(input: &mut Scanner<'a>) -> Result<Option<&'a str>, PatternError> {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
        "upper", "word", "xdigit",
    ];
    let rest = input.rest();
    let Some(end) = rest.strip_prefix("[:").and_then(|r| r.find(":]")) else { return Ok(None) };
    let class = rest.get(..end + 4).unwrap_or_default();
    let name = class.trim_matches(['[', ':', ']']);
    if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(PatternError(format!("invalid character class range: `{class}`")));
    }
    input.skip(class.len());
    Ok(Some(class))
}

/// `\d` and its kin, ASCII as in RE2, as the inside of a class.
pub(super) fn perl_class(input: &mut Scanner<'_>) -> Option<&'static str> {
    [
        ("\\d", "0-9"),
        ("\\D", "[^0-9]"),
        ("\\s", r"\t\n\x0C\r\x20"),
        ("\\S", r"[^\t\n\x0C\r\x20]"),
        ("\\w", "0-9A-Za-z_"),
        ("\\W", "[^0-9A-Za-z_]"),
    ]
    .into_iter()
    .find_map(|(from, to)| input.eat(from).then_some(to))
}

/// `\pL`, `\p{Greek}`, `\P…`, `\p{^…}`: the same in both but for names that only one of them knows.
pub(super) fn unicode_class(input: &mut Scanner<'_>) -> Result<Option<String>, PatternError> {
    let from = input.position();
    if !input.eat("\\p") && !input.eat("\\P") {
        return Ok(None);
    }
    let mut negative = input.since(from).ends_with('P');
    let wrong = |seen: &str| PatternError(format!("invalid character class range: `{seen}`"));
    let name = if input.eat("{") {
        let Some((name, _)) = input.rest().split_once('}') else { return Err(wrong(input.since(from))) };
        input.skip(name.len() + 1);
        name
    } else {
        let start = input.position();
        input.next();
        input.since(start)
    };
    let bare = name.strip_prefix('^').unwrap_or(name);
    negative ^= bare.len() != name.len();
    let class = format!("\\{}{{{bare}}}", if negative { 'P' } else { 'p' });
    if bare.contains(['=', ':']) || regex::Regex::new(&class).is_err() {
        return Err(wrong(input.since(from)));
    }
    Ok(Some(class))
}
