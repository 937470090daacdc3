//! What operators join: literals, parentheses, calls, aggregations, selectors.

use super::{Node, ParseError, Parser};
use crate::ast::{Aggregate, Aggregation, Call, Expr, Number, Paren, Span, StringLiteral};
use crate::lex::{Context, Keyword, Kind, Token};
use crate::quote::quoted;
use crate::signature;

impl<'a> Parser<'a> {
    pub(super) fn primary(&mut self) -> Result<Node, ParseError> {
        match self.token.kind {
            Kind::Number | Kind::Duration => {
                let number = self.number()?;
                self.node(Expr::Number(number), 0)
            }
            Kind::String => {
                let token = self.advance()?;
                let value = self.string(&token)?;
                self.node(Expr::String(StringLiteral { value, span: token.span }), 0)
            }
            Kind::LeftParen => self.parenthesised(),
            Kind::LeftBrace => {
                let selector = self.vector_selector()?;
                self.node(Expr::Vector(selector), 0)
            }
            _ if self.token.names_metric() => self.named(),
            _ => Err(self.unexpected_here()),
        }
    }

    /// Reads a number or duration literal, which is the next token.
    pub(super) fn number(&mut self) -> Result<Number, ParseError> {
        let token = self.advance()?;
        let duration = token.kind == Kind::Duration;
        let value = if duration {
            let millis = crate::number::parse_millis(token.text);
            let millis = millis.map_err(|e| self.error(token.span, e.to_string()))?;
            seconds(millis)
        } else {
            crate::number::parse(token.text).ok_or_else(|| {
                let reason = format!("strconv.ParseFloat: parsing {}: invalid syntax", quoted(token.text));
                self.error(token.span, format!("error parsing number: {reason}"))
            })?
        };
        Ok(Number { value, duration, span: token.span })
    }

    fn parenthesised(&mut self) -> Result<Node, ParseError> {
        let open = self.advance()?;
        let inner = self.nested(|p| p.binary(0))?;
        let close = self.expect(&Kind::RightParen)?;
        let paren = Paren { expr: inner.expr, span: open.span.to(close.span) };
        self.node(Expr::Paren(Box::new(paren)), inner.height)
    }

    /// What starts with a name: what follows it decides.
    fn named(&mut self) -> Result<Node, ParseError> {
        let token = self.advance()?;
        match (&token.kind, &self.token.kind) {
            (Kind::Aggregation(op), Kind::LeftParen | Kind::Keyword(Keyword::By | Keyword::Without)) => {
                let op = *op;
                self.aggregations += 1;
                let node = self.aggregate(op, &token);
                self.aggregations -= 1;
                node
            }
            (Kind::Identifier | Kind::Context(_), Kind::LeftParen) => self.call(&token),
            _ => {
                let selector = self.selector_named(&token)?;
                self.node(Expr::Vector(selector), 0)
            }
        }
    }

    fn call(&mut self, name: &Token<'a>) -> Result<Node, ParseError> {
        let word = match name.kind {
            Kind::Context(c) => context_name(c),
            _ => name.text,
        };
        let (args, height) = self.arguments()?;
        let span = Span::new(name.span.start, self.closed);
        let Some(function) = signature::find(word) else {
            return Err(self.error(name.span, format!("unknown function with name {}", quoted(name.text))));
        };
        if function.experimental && !self.syntax.experimental_functions {
            return Err(self.error(name.span, format!("function {} is not enabled", quoted(name.text))));
        }
        self.node(Expr::Call(Call { function, args, span }), height)
    }

    /// `(a, b)`, and the height of the highest.
    fn arguments(&mut self) -> Result<(Vec<Expr>, usize), ParseError> {
        self.expect(&Kind::LeftParen)?;
        let (mut args, mut height) = (Vec::new(), 0);
        if self.token.kind == Kind::RightParen {
            self.advance()?;
            return Ok((args, height));
        }
        loop {
            let node = self.nested(|p| p.binary(0))?;
            height = height.max(node.height);
            args.push(node.expr);
            match self.take(&Kind::Comma)? {
                Some(comma) if !self.starts_expression() => {
                    let message = "trailing commas not allowed in function call args".to_owned();
                    return Err(self.error(comma.span, message));
                }
                Some(_) => {}
                None if self.token.kind == Kind::RightParen => break,
                None => return Err(self.unexpected_here()),
            }
        }
        self.advance()?;
        Ok((args, height))
    }

    fn starts_expression(&self) -> bool {
        matches!(
            self.token.kind,
            Kind::LeftParen
                | Kind::LeftBrace
                | Kind::Number
                | Kind::Duration
                | Kind::String
                | Kind::Op(crate::ast::BinaryOp::Add | crate::ast::BinaryOp::Sub)
        ) || self.token.names_metric()
    }

    fn aggregate(&mut self, op: Aggregation, name: &Token<'a>) -> Result<Node, ParseError> {
        let mut grouping = self.aggregate_grouping()?;
        let (mut args, height) = self.arguments()?;
        let mut end = self.closed;
        if grouping.is_none() {
            grouping = self.aggregate_grouping()?;
            if grouping.is_some() {
                end = self.closed;
            }
        }
        let (without, labels) = grouping.unwrap_or_default();
        let span = Span::new(name.span.start, end);
        let refuse = |p: &Self, message: String| Err(p.error(span, message));
        if args.is_empty() {
            return refuse(self, "no arguments for aggregate expression provided".to_owned());
        }
        if op.is_experimental() && !self.syntax.experimental_functions {
            let switch = "must be enabled with --enable-feature=promql-experimental-functions";
            return refuse(self, format!("{}() is experimental and {switch}", op.name()));
        }
        let wanted = 1 + usize::from(op.has_param());
        let (Some(expr), true) = (args.pop(), args.len() + 1 == wanted) else {
            let got = args.len() + 1;
            let what = "wrong number of arguments for aggregate expression provided";
            return refuse(self, format!("{what}, expected {wanted}, got {got}"));
        };
        let aggregate = Aggregate { op, param: args.pop(), expr, labels, without, span };
        self.node(Expr::Aggregate(Box::new(aggregate)), height)
    }

    /// `by (…)` or `without (…)`: whether it is the latter, and the labels.
    fn aggregate_grouping(&mut self) -> Result<Option<(bool, Vec<String>)>, ParseError> {
        let without = match self.token.kind {
            Kind::Keyword(Keyword::By) => false,
            Kind::Keyword(Keyword::Without) => true,
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some((without, self.grouping_labels()?)))
    }
}

fn context_name(context: Context) -> &'static str {
    match context {
        Context::Start => "start",
        Context::End => "end",
        Context::Step => "step",
        Context::Range => "range",
        Context::MaxOf => "max_of",
        Context::MinOf => "min_of",
    }
}

/// Milliseconds as the seconds that a number literal holds.
#[expect(clippy::cast_precision_loss, reason = "as Go's Duration.Seconds: exact below 2^53 milliseconds")]
pub(super) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
