//! Quoted strings in the text.

use super::{Kind, Lexer};

impl Lexer<'_> {
    /// Reads a string whose opening quote is read already.
    pub(super) fn string(&mut self, quote: char) -> Result<Kind, String> {
        let raw = quote == '`';
        loop {
            match self.bump() {
                None if raw => return Err("unterminated raw string".to_owned()),
                None => return Err("unterminated quoted string".to_owned()),
                Some('\n') if !raw => return Err("unterminated quoted string".to_owned()),
                Some('\u{fffd}') => return Err("invalid UTF-8 rune".to_owned()),
                Some('\\') if !raw => self.escape(quote)?,
                Some(c) if c == quote => return Ok(Kind::String),
                Some(_) => {}
            }
        }
    }

    fn escape(&mut self, quote: char) -> Result<(), String> {
        let ended = || "escape sequence not terminated".to_owned();
        let (digits, radix, max) = match self.bump().ok_or_else(ended)? {
            'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => return Ok(()),
            c if c == quote => return Ok(()),
            c @ '0'..='7' => {
                self.at -= c.len_utf8();
                (3, 8, 255)
            }
            'x' => (2, 16, 255),
            'u' => (4, 16, 0x10_ffff),
            'U' => (8, 16, 0x10_ffff),
            c => return Err(format!("unknown escape sequence {}", unicode(c))),
        };
        let mut value = 0u64;
        for _ in 0..digits {
            let c = self.bump().ok_or_else(ended)?;
            let Some(digit) = c.to_digit(radix) else {
                return Err(format!("illegal character {} in escape sequence", unicode(c)));
            };
            value = value * u64::from(radix) + u64::from(digit);
        }
        if value > max || (0xd800..0xe000).contains(&value) {
            return Err("escape sequence is an invalid Unicode code point".to_owned());
        }
        Ok(())
    }
}

/// `%#U`: `U+0071 'q'`.
fn unicode(c: char) -> String {
    format!("U+{:04X} '{c}'", u32::from(c))
}
