//! Numbers and durations in the text.

use super::{Kind, Lexer, is_alpha};

impl Lexer<'_> {
    /// Reads a number or a duration, whose first character is read already.
    pub(super) fn number_or_duration(&mut self) -> Result<Kind, String> {
        self.at = self.start;
        if self.scan_number() {
            return Ok(Kind::Number);
        }
        if self.scan_duration_units() {
            return Ok(Kind::Duration);
        }
        let seen = self.text.get(self.start..self.at).unwrap_or_default();
        Err(format!("bad number or duration syntax: {}", crate::quote::quoted(seen)))
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|c| set.contains(c));
        if found {
            self.bump();
        }
        found
    }

    /// Decimal, octal or hexadecimal, `_` between digits; what it reads is not necessarily a number.
    fn scan_number(&mut self) -> bool {
        let mut digits = "0123456789";
        if self.accept("0") && self.accept("xX") {
            self.accept("_");
            digits = "0123456789abcdefABCDEF";
        }
        let hexadecimal = digits.len() > 10;
        self.accept(".");
        self.accept(digits);
        let (mut dot, mut exponent) = (false, false);
        while let Some(c) = self.peek() {
            match c {
                c if digits.contains(c) => {
                    self.bump();
                }
                '.' => {
                    self.bump();
                    if dot || self.accept("_.") || hexadecimal {
                        return false;
                    }
                    dot = true;
                }
                'e' | 'E' => {
                    self.bump();
                    if exponent {
                        return false;
                    }
                    exponent = true;
                    self.accept("+-");
                    if self.accept("._eE") || self.peek().is_none() {
                        return false;
                    }
                }
                '_' => {
                    self.bump();
                    if self.accept("._eE") || self.peek().is_none() {
                        return false;
                    }
                }
                _ => break,
            }
        }
        self.at > self.start && !self.peek().is_some_and(|c| is_alpha(c) || c.is_ascii_digit())
    }

    /// The rest of a duration whose first digits are read: units, and more digits and units.
    fn scan_duration_units(&mut self) -> bool {
        if !self.accept("smhdwy") {
            return false;
        }
        self.accept("s");
        while self.accept("0123456789") {
            while self.accept("0123456789") {}
            if !self.accept("smhdw") {
                return false;
            }
            self.accept("s");
        }
        let ended = !self.peek().is_some_and(|c| is_alpha(c) || c.is_ascii_digit());
        if !ended {
            // the error shows the character that spoils it
            self.bump();
        }
        ended
    }
}
