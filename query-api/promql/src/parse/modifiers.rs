//! What may stand behind a selector: ranges, subqueries, `offset`, `@`, `anchored` and `smoothed`.

use super::{Node, ParseError, Parser};
use crate::ast::{At, Ends, Expr, Length, MatrixSelector, Span, Subquery, VectorSelector};
use crate::lex::{Context, Keyword, Kind};

const NO_MATRIX: &str =
    "must be preceded by an instant vector selector or range vector selector or a subquery";

/// The parts of an expression that `offset` and `@` change.
struct Timed<'e> {
    offset: &'e mut Length,
    at: &'e mut At,
    span: &'e mut Span,
}

impl Parser<'_> {
    /// A primary and all that stands behind it.
    pub(super) fn postfix(&mut self) -> Result<Node, ParseError> {
        let mut node = self.primary()?;
        loop {
            node = match self.token.kind {
                Kind::LeftBracket => self.brackets(node)?,
                Kind::At => self.at(node)?,
                Kind::Keyword(Keyword::Offset) => self.offset(node)?,
                Kind::Keyword(Keyword::Anchored) => self.ends(node, Ends::Anchored)?,
                Kind::Keyword(Keyword::Smoothed) => self.ends(node, Ends::Smoothed)?,
                _ => return Ok(node),
            };
        }
    }

    fn timed<'e>(&self, expr: &'e mut Expr, modifier: &str) -> Result<Timed<'e>, ParseError> {
        let span = expr.span();
        match expr {
            Expr::Vector(v) => Ok(Timed { offset: &mut v.offset, at: &mut v.at, span: &mut v.span }),
            Expr::Matrix(m) => {
                Ok(Timed { offset: &mut m.selector.offset, at: &mut m.selector.at, span: &mut m.span })
            }
            Expr::Subquery(s) => Ok(Timed { offset: &mut s.offset, at: &mut s.at, span: &mut s.span }),
            _ => Err(self.error(span, format!("{modifier} modifier {NO_MATRIX}"))),
        }
    }

    fn offset(&mut self, mut node: Node) -> Result<Node, ParseError> {
        self.advance()?;
        let length = self.offset_length()?;
        let span = node.expr.span();
        let end = self.closed;
        let timed = self.timed(&mut node.expr, "offset")?;
        if !timed.offset.is_zero() {
            return Err(self.error(span, "offset may not be set multiple times".to_owned()));
        }
        *timed.offset = length;
        timed.span.end = end;
        Ok(node)
    }

    fn at(&mut self, mut node: Node) -> Result<Node, ParseError> {
        self.advance()?;
        let at = match self.token.kind {
            Kind::Context(context @ (Context::Start | Context::End)) => {
                self.advance()?;
                if self.token.kind != Kind::LeftParen {
                    return Err(self.unexpected("@", "timestamp"));
                }
                self.advance()?;
                if self.token.kind != Kind::RightParen {
                    return Err(self.unexpected("@", "timestamp"));
                }
                self.advance()?;
                if context == Context::Start { At::Start } else { At::End }
            }
            _ => {
                let seconds = self.signed_number()?.ok_or_else(|| self.unexpected("@", "timestamp"))?;
                At::Millis(self.at_millis(&node.expr, seconds)?)
            }
        };
        let span = node.expr.span();
        let end = self.closed;
        let timed = self.timed(&mut node.expr, "@")?;
        if *timed.at != At::Evaluation {
            return Err(self.error(span, "@ <timestamp> may not be set multiple times".to_owned()));
        }
        *timed.at = at;
        timed.span.end = end;
        Ok(node)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked: within the range of i64 seconds, rounded to milliseconds"
    )]
    fn at_millis(&self, expr: &Expr, seconds: f64) -> Result<i64, ParseError> {
        // 2^63, the first number of seconds beyond what Prometheus' timestamps hold
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        if !seconds.is_finite() || seconds >= LIMIT || seconds <= -LIMIT {
            let message = format!("timestamp out of bounds for @ modifier: {seconds:.6}");
            return Err(self.error(expr.span(), message.replace("inf", "+Inf").replace("-+Inf", "-Inf")));
        }
        Ok((seconds * 1000.0).round() as i64)
    }

    fn ends(&mut self, mut node: Node, ends: Ends) -> Result<Node, ParseError> {
        self.advance()?;
        let word = if ends == Ends::Anchored { "anchored" } else { "smoothed" };
        let span = node.expr.span();
        let refuse = |p: &Self, message: String| Err(p.error(span, message));
        if !self.syntax.extended_selectors {
            return refuse(self, format!("{word} modifier is experimental and not enabled"));
        }
        let selector = match &mut node.expr {
            Expr::Vector(v) => v,
            Expr::Matrix(m) => &mut m.selector,
            Expr::Subquery(_) => {
                return refuse(self, format!("{word} modifier is not supported for subqueries"));
            }
            _ => return refuse(self, format!("{word} modifier not implemented")),
        };
        if selector.ends != Ends::Plain && selector.ends != ends {
            return refuse(self, "anchored and smoothed modifiers cannot be used together".to_owned());
        }
        selector.ends = ends;
        Ok(node)
    }

    /// `[range]` or `[range:step]`.
    fn brackets(&mut self, node: Node) -> Result<Node, ParseError> {
        let open = self.advance()?;
        let range =
            self.bracket_length("subquery or range selector", "number, duration, step(), or range()")?;
        match self.token.kind {
            Kind::RightBracket => {
                let close = self.advance()?;
                let selector = self.ranged(node.expr, open.span.to(close.span))?;
                let span = Span::new(selector.span.start, close.span.end);
                self.node(Expr::Matrix(MatrixSelector { selector, range, span }), 0)
            }
            Kind::Colon => {
                self.advance()?;
                let step = if self.token.kind == Kind::RightBracket {
                    Length::ZERO
                } else {
                    self.bracket_length("subquery selector", "number, duration, step(), range(), or \"]\"")?
                };
                if self.token.kind != Kind::RightBracket {
                    return Err(self.unexpected("subquery selector", "\"]\""));
                }
                let close = self.advance()?;
                let span = Span::new(node.expr.span().start, close.span.end);
                let subquery =
                    Subquery { expr: node.expr, range, step, offset: Length::ZERO, at: At::Evaluation, span };
                self.node(Expr::Subquery(Box::new(subquery)), node.height)
            }
            _ => Err(self.unexpected("subquery or range", "\":\" or \"]\"")),
        }
    }

    fn ranged(&self, expr: Expr, brackets: Span) -> Result<VectorSelector, ParseError> {
        let message = match expr {
            Expr::Vector(v) if !v.offset.is_zero() => "no offset modifiers allowed before range",
            Expr::Vector(v) if matches!(v.at, At::Millis(_)) => "no @ modifiers allowed before range",
            Expr::Vector(v) => return Ok(v),
            _ => "ranges only allowed for vector selectors",
        };
        Err(self.error(brackets, message.to_owned()))
    }
}
