//! Selectors: a name, and conditions in braces.

use super::{ParseError, Parser};
use crate::ast::{At, BinaryOp, Ends, Length, Span, VectorSelector};
use crate::labels::{METRIC_NAME, MatchOp, Matcher};
use crate::lex::{Kind, Token};

const WHERE: &str = "label matching";

impl<'a> Parser<'a> {
    /// `name`, `name{…}` or `{…}`.
    pub(super) fn vector_selector(&mut self) -> Result<VectorSelector, ParseError> {
        if self.token.kind == Kind::LeftBrace {
            let (matchers, span) = self.braces()?;
            return Ok(selector(String::new(), matchers, span));
        }
        if !self.token.names_metric() {
            return Err(self.unexpected_here());
        }
        let name = self.advance()?;
        self.selector_named(&name)
    }

    /// The rest of a selector whose name is read.
    pub(super) fn selector_named(&mut self, name: &Token<'a>) -> Result<VectorSelector, ParseError> {
        let (mut matchers, span) = if self.token.kind == Kind::LeftBrace {
            let (matchers, span) = self.braces()?;
            (matchers, name.span.to(span))
        } else {
            (Vec::new(), name.span)
        };
        matchers.push(Matcher::equal(METRIC_NAME, name.text));
        Ok(selector(name.text.to_owned(), matchers, span))
    }

    fn braces(&mut self) -> Result<(Vec<Matcher>, Span), ParseError> {
        let open = self.advance()?;
        let mut matchers = Vec::new();
        while self.token.kind != Kind::RightBrace {
            matchers.push(self.matcher()?);
            if self.take(&Kind::Comma)?.is_none() && self.token.kind != Kind::RightBrace {
                return Err(self.unexpected(WHERE, "\",\" or \"}\""));
            }
        }
        let close = self.advance()?;
        Ok((matchers, open.span.to(close.span)))
    }

    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let label = match self.token.kind {
            Kind::Identifier | Kind::String => self.advance()?,
            _ => return Err(self.unexpected(WHERE, "identifier or \"}\"")),
        };
        let name = if label.kind == Kind::String { self.string(&label)? } else { label.text.to_owned() };
        let op = match self.token.kind {
            Kind::Assign => MatchOp::Equal,
            Kind::Op(BinaryOp::NotEqual) => MatchOp::NotEqual,
            Kind::RegexEqual => MatchOp::Regex,
            Kind::RegexNotEqual => MatchOp::NotRegex,
            _ if label.kind == Kind::String => return Ok(Matcher::equal(METRIC_NAME, name)),
            _ => return Err(self.unexpected(WHERE, "label matching operator")),
        };
        self.advance()?;
        if self.token.kind != Kind::String {
            return Err(self.unexpected(WHERE, "string"));
        }
        let value = self.advance()?;
        let text = self.string(&value)?;
        Matcher::new(op, name, text).map_err(|e| self.error(label.span.to(value.span), e.to_string()))
    }
}

fn selector(name: String, matchers: Vec<Matcher>, span: Span) -> VectorSelector {
    VectorSelector {
        name,
        matchers,
        offset: Length::ZERO,
        at: At::Evaluation,
        ends: Ends::Plain,
        may_match_all: false,
        span,
    }
}
