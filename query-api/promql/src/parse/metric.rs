//! Metrics as they stand in series descriptions: `name{label="value"}`.

use super::{ParseError, Parser};
use crate::labels::{Labels, METRIC_NAME};
use crate::lex::Kind;
use crate::options::Syntax;

const WHERE: &str = "label set";

/// Reads a metric.
///
/// # Errors
/// When the text is none, or there is more behind it.
pub fn metric(text: &str) -> Result<Labels, ParseError> {
    let syntax = Syntax::default();
    let mut parser = Parser::new(text, &syntax)?;
    let labels = parser.metric()?;
    parser.expect_end()?;
    Ok(labels)
}

/// Reads the metric that `text` starts with, and gives how long it was.
///
/// # Errors
/// When `text` starts with something else.
pub fn metric_prefix(text: &str) -> Result<(Labels, usize), ParseError> {
    let syntax = Syntax { text_bytes_max: usize::MAX, ..Syntax::default() };
    // a name ends at the first blank or brace, braces at the first closing one outside quotes
    let end = metric_end(text);
    let mut parser = Parser::new(text.get(..end).unwrap_or_default(), &syntax)?;
    let labels = parser.metric()?;
    parser.expect_end()?;
    Ok((labels, end))
}

fn metric_end(text: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    let mut braces = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(q) => {
                if c == q && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && !escaped && q != '`';
            }
            None => match c {
                '"' | '\'' | '`' if braces => quote = Some(c),
                '{' if text.get(at..).is_some_and(|r| r.starts_with("{{")) && !braces => return at,
                '{' => braces = true,
                '}' if braces => return at + 1,
                ' ' | '\t' if !braces => return at,
                _ => {}
            },
        }
    }
    text.len()
}

impl Parser<'_> {
    fn metric(&mut self) -> Result<Labels, ParseError> {
        let mut pairs = Vec::new();
        let name = if self.token.names_metric() { Some(self.advance()?.text.to_owned()) } else { None };
        if self.take(&Kind::LeftBrace)?.is_some() {
            while self.token.kind != Kind::RightBrace {
                pairs.push(self.label()?);
                if self.take(&Kind::Comma)?.is_none() && self.token.kind != Kind::RightBrace {
                    return Err(self.unexpected(WHERE, "\",\" or \"}\""));
                }
            }
            self.advance()?;
        }
        pairs.extend(name.map(|name| (METRIC_NAME.to_owned(), name)));
        Ok(Labels::from_pairs(pairs))
    }

    fn label(&mut self) -> Result<(String, String), ParseError> {
        let label = match self.token.kind {
            Kind::Identifier | Kind::String => self.advance()?,
            _ => return Err(self.unexpected(WHERE, "identifier or \"}\"")),
        };
        let quoted = label.kind == Kind::String;
        let name = if quoted { self.string(&label)? } else { label.text.to_owned() };
        if self.token.kind != Kind::Assign {
            return match quoted {
                true => Ok((METRIC_NAME.to_owned(), name)),
                false => Err(self.unexpected(WHERE, "\"=\"")),
            };
        }
        self.advance()?;
        if self.token.kind != Kind::String {
            return Err(self.unexpected(WHERE, "string"));
        }
        let value = self.advance()?;
        Ok((name, self.string(&value)?))
    }
}
