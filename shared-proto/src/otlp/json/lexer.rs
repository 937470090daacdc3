//! JSON text (RFC 8259) as a stream of tokens.
//!
//! Lenient in two points: strings may hold bytes that are not UTF-8 and lone surrogates (U+FFFD takes their place
//! later and here). Nothing recurses.

use std::borrow::Cow;

use super::JsonError;

/// How deep a value that nobody knows may nest.
const SKIPPED_DEPTH_MAX: usize = 512;

/// A position in a JSON text.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

/// A value's first token; objects and arrays are entered by it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Object,
    Array,
    String(Cow<'a, [u8]>),
    /// As it is written.
    Number(&'a str),
    Bool(bool),
    Null,
}

impl Token<'_> {
    pub(super) fn what(&self) -> &'static str {
        match self {
            Token::Object => "an object",
            Token::Array => "an array",
            Token::String(_) => "a string",
            Token::Number(_) => "a number",
            Token::Bool(_) => "true or false",
            Token::Null => "null",
        }
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Lexer<'a> {
        Lexer { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expected(&self, what: &str) -> JsonError {
        match self.peek() {
            None => JsonError::new(self.at, format!("expected {what}, found the end of the body")),
            Some(byte) => {
                let found = char::from(byte).escape_default();
                JsonError::new(self.at, format!("expected {what}, found '{found}'"))
            }
        }
    }

    /// The next value's first token.
    pub(super) fn value(&mut self) -> Result<Token<'a>, JsonError> {
        self.space();
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Object)
            }
            Some(b'[') => {
                self.at += 1;
                Ok(Token::Array)
            }
            Some(b'"') => self.string().map(Token::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            Some(b't') => self.word(b"true", Token::Bool(true)),
            Some(b'f') => self.word(b"false", Token::Bool(false)),
            Some(b'n') => self.word(b"null", Token::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &[u8], token: Token<'a>) -> Result<Token<'a>, JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.expected("true, false or null"));
        }
        self.at += word.len();
        Ok(token)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next key of an object that was entered; `None` at its end. `first`: no member was read yet.
    pub(super) fn key(&mut self, first: bool) -> Result<Option<Cow<'a, [u8]>>, JsonError> {
        if !self.more(first, b'}', "',' or '}'")? {
            return Ok(None);
        }
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in quotes"));
        }
        let key = self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.expected("':'"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether another element of an array that was entered follows. `first`: none was read yet.
    pub(super) fn element(&mut self, first: bool) -> Result<bool, JsonError> {
        self.more(first, b']', "',' or ']'")
    }

    fn more(&mut self, first: bool, close: u8, what: &str) -> Result<bool, JsonError> {
        self.space();
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.at += 1;
                self.space();
                if self.peek() == Some(close) {
                    return Err(self.expected("another member after ','"));
                }
                Ok(true)
            }
            _ => Err(self.expected(what)),
        }
    }

    /// The text has to end here.
    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        self.space();
        if self.peek().is_some() { Err(self.expected("the end of the body")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits()?;
        if whole > 1 && self.text.get(self.at - whole) == Some(&b'0') {
            return Err(JsonError::new(start, "a number starts with 0"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        Ok(std::str::from_utf8(digits).unwrap_or_default())
    }

    fn digits(&mut self) -> Result<usize, JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(self.at - start) }
    }

    /// A string, the lexer standing at its opening quote.
    fn string(&mut self) -> Result<Cow<'a, [u8]>, JsonError> {
        self.at += 1;
        let plain = self.run()?;
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_vec();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                _ => self.escape(&mut text)?,
            }
            text.extend_from_slice(self.run()?);
        }
    }

    /// The bytes up to the next quote or backslash.
    fn run(&mut self) -> Result<&'a [u8], JsonError> {
        let rest = self.rest();
        let len = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f)).unwrap_or(rest.len());
        self.at += len;
        match self.peek() {
            Some(b'"' | b'\\') => Ok(rest.get(..len).unwrap_or_default()),
            None => Err(JsonError::new(self.at, "a string does not end")),
            Some(_) => Err(JsonError::new(self.at, "a control character in a string has to be escaped")),
        }
    }

    /// One escape, the lexer standing at its backslash.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), JsonError> {
        let at = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let found = self.unicode()?;
                text.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(JsonError::new(at, "an escape is unknown")),
        };
        self.at += 1;
        text.push(plain);
        Ok(())
    }

    /// The character of one or two `\u` escapes, the lexer standing at the first digit.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let high = self.hex4()?;
        if !(0xd800..0xdc00).contains(&high) || !self.rest().starts_with(b"\\u") {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let back = self.at;
        self.at += 2;
        let low = self.hex4()?;
        if (0xdc00..0xe000).contains(&low) {
            let pair = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at = back;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.expected("four hex digits after \\u")) };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }

    /// Skips the rest of the value whose first token is `token`.
    pub(super) fn skip(&mut self, token: &Token<'_>) -> Result<(), JsonError> {
        // true: an object, false: an array
        let mut open: Vec<bool> = Vec::new();
        match token {
            Token::Object => open.push(true),
            Token::Array => open.push(false),
            _ => return Ok(()),
        }
        let mut first = true;
        while let Some(&object) = open.last() {
            let more = if object { self.key(first)?.is_some() } else { self.element(first)? };
            if !more {
                open.pop();
                first = false;
                continue;
            }
            let inner = self.value()?;
            first = matches!(inner, Token::Object | Token::Array);
            if first && open.len() >= SKIPPED_DEPTH_MAX {
                return Err(JsonError::new(self.at, format!("values nest deeper than {SKIPPED_DEPTH_MAX}")));
            }
            if first {
                open.push(inner == Token::Object);
            }
        }
        Ok(())
    }
}
