//! Operators and what stands between them and their right side.

use super::{Node, ParseError, Parser};
use crate::ast::{Binary, BinaryOp, Cardinality, Expr, Matching, Unary, UnaryOp};
use crate::lex::{Keyword, Kind};

/// How tightly a sign binds: as multiplication, so that `-a^b` is `-(a^b)`.
const SIGN_PRECEDENCE: u8 = 5;

impl Parser<'_> {
    /// Reads operands and the operators between them that bind at least as tightly as `floor`.
    pub(super) fn binary(&mut self, floor: u8) -> Result<Node, ParseError> {
        let mut left = self.nested(Self::signed)?;
        while let Kind::Op(op) = self.token.kind {
            let precedence = op.precedence();
            if precedence < floor {
                break;
            }
            self.advance()?;
            let (matching, return_bool) = self.binary_modifiers()?;
            let floor = if op == BinaryOp::Pow { precedence } else { precedence + 1 };
            let right = self.nested(|p| p.binary(floor))?;
            let height = left.height.max(right.height);
            let binary =
                Binary { op, lhs: left.expr, rhs: right.expr, matching: Some(matching), return_bool };
            if !self.syntax.fill_modifiers && binary.matching.as_ref().is_some_and(has_fill) {
                let message = "binop fill modifiers are experimental and not enabled".to_owned();
                return Err(self.error(binary.span(), message));
            }
            left = self.node(Expr::Binary(Box::new(binary)), height)?;
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Node, ParseError> {
        let op = match self.token.kind {
            Kind::Op(BinaryOp::Add) => UnaryOp::Plus,
            Kind::Op(BinaryOp::Sub) => UnaryOp::Minus,
            _ => return self.postfix(),
        };
        let start = self.advance()?.span.start;
        let mut operand = self.nested(|p| p.binary(SIGN_PRECEDENCE + 1))?;
        if let Expr::Number(number) = &mut operand.expr {
            if op == UnaryOp::Minus {
                number.value = -number.value;
            }
            number.span.start = start;
            return Ok(operand);
        }
        let span = crate::ast::Span::new(start, operand.expr.span().end);
        let unary = Unary { op, expr: operand.expr, span };
        self.node(Expr::Unary(Box::new(unary)), operand.height)
    }

    fn take_keyword(&mut self, keyword: Keyword) -> Result<bool, ParseError> {
        Ok(self.take(&Kind::Keyword(keyword))?.is_some())
    }

    fn binary_modifiers(&mut self) -> Result<(Matching, bool), ParseError> {
        let return_bool = self.take_keyword(Keyword::Bool)?;
        let mut matching = Matching::default();
        let on = self.take_keyword(Keyword::On)?;
        if on || self.take_keyword(Keyword::Ignoring)? {
            matching.on = on;
            matching.labels = self.grouping_labels()?;
            let left = self.take_keyword(Keyword::GroupLeft)?;
            if left || self.take_keyword(Keyword::GroupRight)? {
                matching.cardinality = if left { Cardinality::ManyToOne } else { Cardinality::OneToMany };
                if self.token.kind == Kind::LeftParen {
                    matching.include = self.grouping_labels()?;
                }
            }
        }
        self.fill_modifiers(&mut matching)?;
        Ok((matching, return_bool))
    }

    /// `fill(…)`, or `fill_left(…)` and `fill_right(…)` in any order.
    fn fill_modifiers(&mut self, matching: &mut Matching) -> Result<(), ParseError> {
        if self.take_keyword(Keyword::Fill)? {
            let value = self.fill_value()?;
            (matching.fill_left, matching.fill_right) = (Some(value), Some(value));
            return Ok(());
        }
        for _ in 0..2 {
            if matching.fill_left.is_none() && self.take_keyword(Keyword::FillLeft)? {
                matching.fill_left = Some(self.fill_value()?);
            } else if matching.fill_right.is_none() && self.take_keyword(Keyword::FillRight)? {
                matching.fill_right = Some(self.fill_value()?);
            }
        }
        Ok(())
    }

    fn fill_value(&mut self) -> Result<f64, ParseError> {
        self.expect(&Kind::LeftParen)?;
        let value = self.signed_number()?.ok_or_else(|| self.unexpected_here())?;
        self.expect(&Kind::RightParen)?;
        Ok(value)
    }

    /// A number with or without a sign; durations count as seconds.
    pub(super) fn signed_number(&mut self) -> Result<Option<f64>, ParseError> {
        let negative = self.token.kind == Kind::Op(BinaryOp::Sub);
        if negative || self.token.kind == Kind::Op(BinaryOp::Add) {
            self.advance()?;
        }
        if !matches!(self.token.kind, Kind::Number | Kind::Duration) {
            return Ok(None);
        }
        let value = self.number()?.value;
        Ok(Some(if negative { -value } else { value }))
    }
}

fn has_fill(matching: &Matching) -> bool {
    matching.fill_left.is_some() || matching.fill_right.is_some()
}
