//! Cutting the text into tokens.
//!
//! Knows: what the same character means outside, inside braces and inside brackets, and the words for what it cannot
//! read (Prometheus' `promql/parser/lex.go`). Must not know: grammar. Start at [`Lexer::next`].

mod number;
mod string;
mod token;

pub(crate) use token::{Context, Keyword, Kind, Token};

use crate::ast::{BinaryOp, Span};
use crate::quote::quoted_char;

/// The text, and where and in which mood the lexer is.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Where the current token starts.
    start: usize,
    parens: usize,
    mood: Mood,
    colon_seen: bool,
    /// After an error the text is over.
    failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Plain,
    Braces,
    /// In brackets, before the first number: only what a duration may start with.
    Duration,
    /// In brackets, after it.
    Bracket,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, start: 0, parens: 0, mood: Mood::Plain, colon_seen: false, failed: false }
    }

    /// The next token; comments and spaces are skipped.
    pub(crate) fn next(&mut self) -> Token<'a> {
        self.skip_blanks();
        let kind = if self.failed {
            Ok(Kind::End)
        } else {
            match self.mood {
                Mood::Braces => self.in_braces(),
                Mood::Duration => self.in_duration(),
                Mood::Plain | Mood::Bracket => self.outside(),
            }
        };
        let kind = kind.unwrap_or_else(|message| {
            self.failed = true;
            Kind::Error(message)
        });
        let text = self.text.get(self.start..self.at).unwrap_or_default();
        let end = if self.failed { self.text.len() } else { self.at };
        Token { kind, text, span: Span::new(self.start, end) }
    }

    fn skip_blanks(&mut self) {
        loop {
            while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
                self.at += 1;
            }
            // inside brackets Prometheus' lexer knows no comments before the first number
            if self.peek() != Some('#') || self.mood == Mood::Duration {
                break;
            }
            while !matches!(self.peek(), None | Some('\n' | '\r')) {
                self.bump();
            }
        }
        self.start = self.at;
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn outside(&mut self) -> Result<Kind, String> {
        let bracket = self.mood == Mood::Bracket;
        let Some(c) = self.bump() else {
            return match (self.parens, bracket) {
                (0, false) => Ok(Kind::End),
                (0, true) => Err("unclosed left bracket".to_owned()),
                _ => Err("unclosed left parenthesis".to_owned()),
            };
        };
        match c {
            ',' => Ok(Kind::Comma),
            '@' => Ok(Kind::At),
            '=' | '!' | '<' | '>' => self.comparison(c),
            '0'..='9' => self.number_or_duration(),
            '.' if self.peek().is_some_and(|c| c.is_ascii_digit()) => self.number_or_duration(),
            '"' | '\'' | '`' => self.string(c),
            ':' if bracket => self.colon(),
            ':' => Ok(self.word()),
            c if is_alpha(c) && bracket => self
                .duration_word(c)
                .ok_or_else(|| format!("unexpected character: {}, expected ':'", quoted_char(c))),
            c if is_alpha(c) => Ok(self.word()),
            '(' | ')' => self.parenthesis(c),
            '{' => {
                self.mood = Mood::Braces;
                Ok(Kind::LeftBrace)
            }
            '[' if bracket => Err(format!("unexpected left bracket {}", quoted_char(c))),
            '[' => {
                self.mood = Mood::Duration;
                self.colon_seen = false;
                Ok(Kind::LeftBracket)
            }
            ']' if bracket => {
                self.mood = Mood::Plain;
                Ok(Kind::RightBracket)
            }
            ']' => Err(format!("unexpected right bracket {}", quoted_char(c))),
            c => arithmetic(c).ok_or_else(|| format!("unexpected character: {}", quoted_char(c))),
        }
    }

    fn comparison(&mut self, c: char) -> Result<Kind, String> {
        let then = self.peek();
        let with = |op| Ok(Kind::Op(op));
        match (c, then) {
            ('=', Some('=')) => {
                self.bump();
                with(BinaryOp::Equal)
            }
            ('=', Some('~')) => Err("unexpected character after '=': '~'".to_owned()),
            ('=', _) => Ok(Kind::Assign),
            ('!', Some('=')) => {
                self.bump();
                with(BinaryOp::NotEqual)
            }
            ('!', other) => Err(format!("unexpected character after '!': {}", quoted_end(other))),
            ('<', Some('=' | '/')) => {
                let trim = self.bump() == Some('/');
                with(if trim { BinaryOp::TrimUpper } else { BinaryOp::LessEqual })
            }
            ('>', Some('=' | '/')) => {
                let trim = self.bump() == Some('/');
                with(if trim { BinaryOp::TrimLower } else { BinaryOp::GreaterEqual })
            }
            ('<', _) => with(BinaryOp::Less),
            (_, _) => with(BinaryOp::Greater),
        }
    }

    fn parenthesis(&mut self, c: char) -> Result<Kind, String> {
        if c == '(' {
            self.parens += 1;
            return Ok(Kind::LeftParen);
        }
        let Some(left) = self.parens.checked_sub(1) else {
            // the place is behind it, as in Prometheus
            self.start = self.at;
            return Err("unexpected right parenthesis ')'".to_owned());
        };
        self.parens = left;
        Ok(Kind::RightParen)
    }

    fn colon(&mut self) -> Result<Kind, String> {
        if std::mem::replace(&mut self.colon_seen, true) {
            return Err("unexpected colon ':'".to_owned());
        }
        Ok(Kind::Colon)
    }

    fn in_braces(&mut self) -> Result<Kind, String> {
        match self.bump() {
            None => Err("unexpected end of input inside braces".to_owned()),
            Some(c) if is_alpha(c) => {
                self.run(|c| is_alpha(c) || c.is_ascii_digit());
                Ok(Kind::Identifier)
            }
            Some(',') => Ok(Kind::Comma),
            Some(c @ ('"' | '\'' | '`')) => self.string(c),
            Some('=') => Ok(if self.eat('~') { Kind::RegexEqual } else { Kind::Assign }),
            Some('!') => match self.bump() {
                Some('~') => Ok(Kind::RegexNotEqual),
                Some('=') => Ok(Kind::Op(BinaryOp::NotEqual)),
                other => Err(format!("unexpected character after '!' inside braces: {}", quoted_end(other))),
            },
            Some('{') => Err("unexpected left brace '{'".to_owned()),
            Some('}') => {
                self.mood = Mood::Plain;
                Ok(Kind::RightBrace)
            }
            Some(c) => Err(format!("unexpected character inside braces: {}", quoted_char(c))),
        }
    }

    fn in_duration(&mut self) -> Result<Kind, String> {
        let unexpected = |c| Err(format!("unexpected character in duration expression: {}", quoted_char(c)));
        match self.bump() {
            None => Err("unexpected end of input in duration expression".to_owned()),
            Some(']') => {
                self.mood = Mood::Plain;
                Ok(Kind::RightBracket)
            }
            Some(':') => {
                self.start = self.at;
                Err("unexpected colon before duration in duration expression".to_owned())
            }
            Some(c @ ('(' | ')')) => self.parenthesis(c),
            Some(',') => Ok(Kind::Comma),
            Some(c @ ('s' | 'S' | 'm' | 'M' | 'r' | 'R')) => {
                let word = self.duration_word(c);
                // `step()` is a duration: what follows may be a colon
                self.mood = if word.is_some() { Mood::Bracket } else { self.mood };
                word.map_or_else(|| unexpected(c), Ok)
            }
            Some(c)
                if c.is_ascii_digit() || (c == '.' && self.peek().is_some_and(|c| c.is_ascii_digit())) =>
            {
                self.mood = Mood::Bracket;
                self.number_or_duration()
            }
            Some(c) => arithmetic(c).map_or_else(|| unexpected(c), Ok),
        }
    }

    /// `step`, `range`, `max_of` or `min_of` in brackets.
    fn duration_word(&mut self, first: char) -> Option<Kind> {
        if !matches!(first, 's' | 'S' | 'm' | 'M' | 'r' | 'R') {
            return None;
        }
        self.run(is_alpha);
        let word = self.text.get(self.start..self.at)?;
        token::keyword(word).filter(|k| {
            matches!(k, Kind::Context(Context::Step | Context::Range | Context::MaxOf | Context::MinOf))
        })
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&belongs) {
            self.bump();
        }
    }

    /// A name or a keyword; `fill` and its kin are keywords only before a parenthesis.
    fn word(&mut self) -> Kind {
        self.run(|c| is_alpha(c) || c.is_ascii_digit() || c == ':');
        let word = self.text.get(self.start..self.at).unwrap_or_default();
        match token::keyword(word) {
            Some(Kind::Keyword(Keyword::Fill | Keyword::FillLeft | Keyword::FillRight))
                if !self.rest().trim_start_matches([' ', '\t', '\n', '\r']).starts_with('(') =>
            {
                Kind::Identifier
            }
            Some(kind) => kind,
            None if word.contains(':') => Kind::MetricIdentifier,
            None => Kind::Identifier,
        }
    }
}

pub(crate) fn is_alpha(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn arithmetic(c: char) -> Option<Kind> {
    Some(Kind::Op(match c {
        '+' => BinaryOp::Add,
        '-' => BinaryOp::Sub,
        '*' => BinaryOp::Mul,
        '/' => BinaryOp::Div,
        '%' => BinaryOp::Mod,
        '^' => BinaryOp::Pow,
        _ => return None,
    }))
}

/// `%q` of a character that may be the end of the text, which Go writes as the replacement character.
fn quoted_end(c: Option<char>) -> String {
    quoted_char(c.unwrap_or('\u{fffd}'))
}
