//! Lengths of time in brackets and behind `offset`: literals, and arithmetic over them.

use super::{ParseError, Parser};
use crate::ast::{BinaryOp, DurationExpr, DurationKind, Length, Number, Span};
use crate::lex::{Context, Kind};

/// Seconds that 64 bits of nanoseconds hold.
const SECONDS_MAX: f64 = 9_223_372_036.854_775;

const IN_OFFSET: (&str, &str) = ("offset", "number, duration, step(), or range()");

/// What an error says about the place and what could stand there.
type Expected<'e> = (&'e str, &'e str);

impl Parser<'_> {
    /// A range or a step: positive where it is fixed.
    pub(super) fn bracket_length(&mut self, context: &str, expected: &str) -> Result<Length, ParseError> {
        let expr = self.duration(0, (context, expected))?;
        match expr.kind {
            DurationKind::Number(ref n) if n.value <= 0.0 => {
                Err(self.error(n.span, "duration must be greater than 0".to_owned()))
            }
            _ => Ok(length(expr)),
        }
    }

    /// What follows `offset`: no arithmetic outside parentheses, so that `a offset 1m + b` adds `b`.
    pub(super) fn offset_length(&mut self) -> Result<Length, ParseError> {
        let sign = match self.token.kind {
            Kind::Op(op @ (BinaryOp::Add | BinaryOp::Sub)) => Some((op, self.advance()?.span)),
            _ => None,
        };
        let operand = self.duration_primary(IN_OFFSET)?;
        Ok(length(match sign {
            Some((op, span)) => self.signed_duration(op, span, operand)?,
            None => operand,
        }))
    }

    fn duration(&mut self, floor: u8, expected: Expected<'_>) -> Result<DurationExpr, ParseError> {
        let mut left = match self.token.kind {
            Kind::Op(op @ (BinaryOp::Add | BinaryOp::Sub)) => {
                let span = self.advance()?.span;
                let operand = self.nested(|p| p.duration(BinaryOp::Pow.precedence(), expected))?;
                self.signed_duration(op, span, operand)?
            }
            _ => self.duration_primary(expected)?,
        };
        let mut height = 0;
        while let Kind::Op(op) = self.token.kind {
            let precedence = op.precedence();
            if precedence < floor.max(BinaryOp::Add.precedence()) || op == BinaryOp::Atan2 {
                break;
            }
            height += 1;
            if height >= self.syntax.depth_max {
                return Err(self.too_deep());
            }
            let place = self.advance()?.span;
            let floor = if op == BinaryOp::Pow { precedence } else { precedence + 1 };
            let right = self.nested(|p| p.duration(floor, expected))?;
            self.allowed(left.span)?;
            let zero = matches!(&right.kind, DurationKind::Number(n) if n.value == 0.0);
            match op {
                BinaryOp::Div if zero => return Err(self.error(place, "division by zero".to_owned())),
                BinaryOp::Mod if zero => return Err(self.error(place, "modulo by zero".to_owned())),
                _ => {}
            }
            let span = left.span.to(right.span);
            left = plain(DurationKind::Binary(op, Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn duration_primary(&mut self, expected: Expected<'_>) -> Result<DurationExpr, ParseError> {
        let start = self.token.span.start;
        match self.token.kind {
            Kind::Number | Kind::Duration => {
                let number = self.number()?;
                self.in_range(&number, number.span)?;
                let span = number.span;
                Ok(plain(DurationKind::Number(number), span))
            }
            Kind::Context(context @ (Context::Step | Context::Range)) => {
                self.advance()?;
                self.punctuation(&Kind::LeftParen, expected)?;
                self.punctuation(&Kind::RightParen, expected)?;
                let kind = if context == Context::Step { DurationKind::Step } else { DurationKind::Range };
                let span = Span::new(start, self.closed);
                self.allowed(span)?;
                Ok(plain(kind, span))
            }
            Kind::Context(context @ (Context::MaxOf | Context::MinOf)) => {
                self.advance()?;
                self.punctuation(&Kind::LeftParen, expected)?;
                let first = Box::new(self.nested(|p| p.duration(0, expected))?);
                self.punctuation(&Kind::Comma, expected)?;
                let second = Box::new(self.nested(|p| p.duration(0, expected))?);
                self.punctuation(&Kind::RightParen, expected)?;
                let span = Span::new(start, self.closed);
                self.allowed(span)?;
                Ok(plain(
                    match context {
                        Context::MaxOf => DurationKind::Max(first, second),
                        _ => DurationKind::Min(first, second),
                    },
                    span,
                ))
            }
            Kind::LeftParen => {
                self.advance()?;
                let inner = self.nested(|p| p.duration(0, expected))?;
                self.punctuation(&Kind::RightParen, expected)?;
                self.allowed(inner.span)?;
                Ok(wrapped(inner))
            }
            _ => Err(self.unexpected(expected.0, expected.1)),
        }
    }

    /// Takes a bracket or a comma.
    fn punctuation(&mut self, kind: &Kind, expected: Expected<'_>) -> Result<(), ParseError> {
        if self.token.kind != *kind {
            return Err(self.unexpected(expected.0, expected.1));
        }
        self.advance()?;
        Ok(())
    }

    fn signed_duration(
        &self,
        op: BinaryOp,
        place: Span,
        operand: DurationExpr,
    ) -> Result<DurationExpr, ParseError> {
        let span = place.to(operand.span);
        match operand.kind {
            DurationKind::Number(mut number) => {
                if op == BinaryOp::Sub {
                    number.value = -number.value;
                }
                self.in_range(&number, place)?;
                number.span.start = place.start;
                Ok(plain(DurationKind::Number(number), span))
            }
            _ if op == BinaryOp::Sub => Ok(plain(DurationKind::Negate(Box::new(operand)), span)),
            _ => Ok(operand),
        }
    }

    fn in_range(&self, number: &Number, place: Span) -> Result<(), ParseError> {
        if number.value.abs() > SECONDS_MAX {
            return Err(self.error(place, "duration out of range".to_owned()));
        }
        Ok(())
    }

    fn allowed(&self, span: Span) -> Result<(), ParseError> {
        if self.syntax.duration_expressions {
            return Ok(());
        }
        Err(self.error(span, "experimental duration expression is not enabled".to_owned()))
    }
}

fn plain(kind: DurationKind, span: Span) -> DurationExpr {
    DurationExpr { kind, wrapped: false, span }
}

fn wrapped(inner: DurationExpr) -> DurationExpr {
    let span = inner.span;
    match inner.kind {
        DurationKind::Number(_) => {
            DurationExpr { kind: DurationKind::Same(Box::new(inner)), wrapped: true, span }
        }
        kind => DurationExpr { kind, wrapped: true, span },
    }
}

/// A literal is a fixed length: nanoseconds as Prometheus rounds them, milliseconds as it evaluates them.
fn length(expr: DurationExpr) -> Length {
    match expr.kind {
        DurationKind::Number(ref n) => Length::Millis(crate::number::seconds_to_millis(n.value)),
        _ => Length::Expr(Box::new(expr)),
    }
}
