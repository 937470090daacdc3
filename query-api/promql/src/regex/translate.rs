//! From RE2's syntax to Rust's, left to right, one construct at a time.
//!
//! Knows: Go's `regexp/syntax`, flags `Perl`. Must not know: what the pattern is for.

use super::PatternError;
use super::class::{Scanner, perl_class, unicode_class};

/// Go's `regexp/syntax.maxRepeat`… of one repetition.
const REPEAT_MAX: u32 = 1000;

/// Writes `text`, which is RE2's, as Rust's `regex` understands it.
pub(super) fn to_rust(text: &str) -> Result<String, PatternError> {
    let mut reader = Reader {
        input: Scanner::new(text),
        out: String::with_capacity(text.len() + 8),
        depth: 0,
        operand: false,
    };
    while let Some(c) = reader.input.peek() {
        reader.construct(c)?;
    }
    if reader.depth > 0 {
        return Err(PatternError(format!("missing closing ): `{text}`")));
    }
    Ok(reader.out)
}

struct Reader<'a> {
    input: Scanner<'a>,
    out: String,
    /// Open groups.
    depth: usize,
    /// Whether there is something that a repetition could repeat.
    operand: bool,
}

impl Reader<'_> {
    fn construct(&mut self, c: char) -> Result<(), PatternError> {
        match c {
            '(' => self.group(),
            ')' => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or_else(|| PatternError(format!("unexpected ): `{}`", self.input.whole())))?;
                self.copy();
                self.operand = true;
                Ok(())
            }
            '|' => {
                self.copy();
                self.operand = false;
                Ok(())
            }
            '[' => {
                let class = self.input.class()?;
                self.operand(&class)
            }
            '*' | '+' | '?' | '{' => self.repetition(),
            '\\' => self.escape(),
            '^' | '$' | '.' => {
                self.copy();
                self.operand = true;
                Ok(())
            }
            c => {
                self.input.next();
                self.operand(&regex::escape(c.encode_utf8(&mut [0; 4])))
            }
        }
    }

    fn copy(&mut self) {
        self.out.extend(self.input.next());
    }

    fn operand(&mut self, text: &str) -> Result<(), PatternError> {
        self.out.push_str(text);
        self.operand = true;
        Ok(())
    }

    /// `(`, `(?:`, `(?i)`, `(?i:`, `(?P<name>`, `(?<name>`.
    fn group(&mut self) -> Result<(), PatternError> {
        let from = self.input.position();
        self.input.next();
        if !self.input.eat("?") {
            self.open("(");
            return Ok(());
        }
        if self.input.eat("P<") || self.input.eat("<") {
            let rest = self.input.rest();
            let name = rest.split_once('>').map(|(name, _)| name).unwrap_or_default();
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(PatternError(format!("invalid named capture: `{}`", self.input.since(from))));
            }
            let open = format!("(?P<{name}>");
            self.input.skip(name.len() + 1);
            self.open(&open);
            return Ok(());
        }
        loop {
            match self.input.next() {
                Some('i' | 'm' | 's' | 'U' | '-') => {}
                Some(':') => {
                    let open = self.input.since(from).to_owned();
                    self.open(&open);
                    return Ok(());
                }
                Some(')')
                    if !self.input.since(from).ends_with("?)") && !self.input.since(from).ends_with("-)") =>
                {
                    self.out.push_str(self.input.since(from));
                    return Ok(());
                }
                _ => {
                    let seen = self.input.since(from);
                    return Err(PatternError(format!("invalid or unsupported Perl syntax: `{seen}`")));
                }
            }
        }
    }

    fn open(&mut self, text: &str) {
        self.out.push_str(text);
        self.depth += 1;
        self.operand = false;
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`, each lazy with `?` behind; RE2 does not stack them.
    fn repetition(&mut self) -> Result<(), PatternError> {
        let from = self.input.position();
        if !self.one_repetition()? {
            self.input.next();
            return self.operand("\\{");
        }
        let once = self.input.since(from).to_owned();
        if !self.operand {
            return Err(PatternError(format!("missing argument to repetition operator: `{once}`")));
        }
        self.out.push_str(&once);
        if matches!(self.input.peek(), Some('*' | '+' | '?' | '{')) && self.one_repetition()? {
            let stacked = self.input.since(from);
            return Err(PatternError(format!("invalid nested repetition operator: `{stacked}`")));
        }
        Ok(())
    }

    /// Reads one repetition and the `?` behind it; a brace that starts none is left alone.
    fn one_repetition(&mut self) -> Result<bool, PatternError> {
        let from = self.input.position();
        if self.input.peek() == Some('{') {
            let Some((length, fits)) = counted(self.input.rest()) else { return Ok(false) };
            self.input.skip(length);
            if !fits {
                return Err(PatternError(format!("invalid repeat count: `{}`", self.input.since(from))));
            }
        } else {
            self.input.next();
        }
        self.input.eat("?");
        Ok(true)
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        if self.input.eat("\\Q") {
            let (literal, end) = match self.input.rest().split_once("\\E") {
                Some((literal, _)) => (literal.to_owned(), 2),
                None => (self.input.rest().to_owned(), 0),
            };
            self.input.skip(literal.len() + end);
            for c in literal.chars() {
                self.operand(&regex::escape(c.encode_utf8(&mut [0; 4])))?;
            }
            return Ok(());
        }
        for (from, to) in [("\\A", "\\A"), ("\\z", "\\z"), ("\\b", "(?-u:\\b)"), ("\\B", "(?-u:\\B)")] {
            if self.input.eat(from) {
                return self.operand(to);
            }
        }
        if let Some(class) = perl_class(&mut self.input) {
            return self.operand(&format!("[{class}]"));
        }
        if let Some(class) = unicode_class(&mut self.input)? {
            return self.operand(&class);
        }
        let c = self.input.escaped_char()?;
        self.operand(&regex::escape(c.encode_utf8(&mut [0; 4])))
    }
}

/// Length of `{n}`, `{n,}` or `{n,m}` at the start of `text`, and whether RE2 accepts the numbers.
fn counted(text: &str) -> Option<(usize, bool)> {
    let inner = text.strip_prefix('{')?.split_once('}')?.0;
    let count = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let padded = digits.len() > 1 && digits.starts_with('0');
        (plain && !padded).then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let fits = match inner.split_once(',') {
        None => count(inner)? <= REPEAT_MAX,
        Some((low, "")) => count(low)? <= REPEAT_MAX,
        Some((low, high)) => {
            let (low, high) = (count(low)?, count(high)?);
            low <= high && high <= REPEAT_MAX
        }
    };
    Some((inner.len() + 2, fits))
}
