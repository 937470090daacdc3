//! The tree of an expression, as the parser builds it and the engine reads it.
//!
//! Knows: what an expression consists of, and where each part stands in the text. Must not know: how it is written
//! (`print`), whether it makes sense (`check`), or what it evaluates to. Start at [`Expr`].
//!
//! Nothing is folded here: parentheses, duration expressions and `@ start()` stay as they were written, because
//! printing must give them back; the plan resolves them.

mod operator;
mod walk;

pub use operator::{Aggregation, BinaryOp, UnaryOp};

use crate::labels::Matcher;
use crate::signature::Signature;

/// A place in the query's text: byte offsets, `start` included, `end` excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` to `end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }

    /// Where the span starts, as `line:column` of `text`, both counted from 1, columns in bytes.
    #[must_use]
    pub fn position(self, text: &str) -> String {
        if text.is_empty() {
            return "unknown position".to_owned();
        }
        let Some(before) = text.as_bytes().get(..self.start) else { return "invalid position".to_owned() };
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&b| b != b'\n').count() + 1;
        format!("{line}:{column}")
    }
}

/// What an expression evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number per step.
    Scalar,
    /// One text.
    String,
    /// An instant vector: series with at most one sample per step.
    Vector,
    /// A range vector: series with a window of samples per step.
    Matrix,
}

impl ValueType {
    /// The name that the HTTP API uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
        }
    }

    /// The name that the documentation and error messages use.
    #[must_use]
    pub fn documented(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `1`, `0x1f`, `Inf`, `5m` as a number of seconds.
    Number(Number),
    /// `"text"`.
    String(StringLiteral),
    /// `name{label="value"}`.
    Vector(VectorSelector),
    /// `selector[5m]`.
    Matrix(MatrixSelector),
    /// `expr[5m:1m]`.
    Subquery(Box<Subquery>),
    /// `rate(…)`.
    Call(Call),
    /// `sum by (job) (…)`.
    Aggregate(Box<Aggregate>),
    /// `a + on (job) b`.
    Binary(Box<Binary>),
    /// `-a`.
    Unary(Box<Unary>),
    /// `(a)`.
    Paren(Box<Paren>),
}

/// A number literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Its value; seconds if it was written as a duration.
    pub value: f64,
    /// Whether it was written as a duration, and is printed as one.
    pub duration: bool,
    /// Where it stands.
    pub span: Span,
}

/// A string literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringLiteral {
    /// The text without quotes and escapes.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A length of time in a selector: fixed, or an expression that the plan evaluates.
#[derive(Debug, Clone, PartialEq)]
pub enum Length {
    /// Milliseconds.
    Millis(i64),
    /// Arithmetic over durations, `step()` and `range()`.
    Expr(Box<DurationExpr>),
}

impl Length {
    /// No length: what an absent offset is.
    pub const ZERO: Self = Self::Millis(0);

    /// Whether it is fixed, and zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Millis(0))
    }
}

/// A duration expression, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationExpr {
    /// What it is.
    pub kind: DurationKind,
    /// Whether it stands in parentheses.
    pub wrapped: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a duration expression is; all values are seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationKind {
    /// A number or a duration.
    Number(Number),
    /// `step()`: the step of the query.
    Step,
    /// `range()`: end of the query less its start.
    Range,
    /// `-x`.
    Negate(Box<DurationExpr>),
    /// A literal in parentheses, for which no other kind has a place.
    Same(Box<DurationExpr>),
    /// One of `+ - * / % ^`.
    Binary(BinaryOp, Box<DurationExpr>, Box<DurationExpr>),
    /// `min(a, b)`.
    Min(Box<DurationExpr>, Box<DurationExpr>),
    /// `max(a, b)`.
    Max(Box<DurationExpr>, Box<DurationExpr>),
}

/// The `@` modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum At {
    /// Not given: the time of evaluation.
    #[default]
    Evaluation,
    /// Milliseconds since the Unix epoch.
    Millis(i64),
    /// `@ start()`.
    Start,
    /// `@ end()`.
    End,
}

/// How the ends of a window are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ends {
    /// The samples inside, extrapolated by functions that do so.
    #[default]
    Plain,
    /// `anchored`: the last sample before the window stands at its start, no extrapolation.
    Anchored,
    /// `smoothed`: values at both ends are interpolated between their neighbours.
    Smoothed,
}

/// An instant vector selector.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSelector {
    /// The metric name that stood outside the braces; empty if none did.
    pub name: String,
    /// All matchers, in the order of the text; the name's, if it stood outside the braces, last.
    pub matchers: Vec<Matcher>,
    /// How far to look back (positive) or ahead (negative).
    pub offset: Length,
    /// The `@` modifier.
    pub at: At,
    /// `anchored` or `smoothed`.
    pub ends: Ends,
    /// Set where a selector may match everything: the second argument of `info`.
    pub may_match_all: bool,
    /// Where it stands, modifiers included unless a range stands between.
    pub span: Span,
}

/// A range vector selector.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSelector {
    /// The series, and with them offset, `@` and ends.
    pub selector: VectorSelector,
    /// Length of the window.
    pub range: Length,
    /// Where it stands.
    pub span: Span,
}

/// An instant vector expression, evaluated at many times.
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Expr,
    /// Length of the window.
    pub range: Length,
    /// Distance of the evaluations; [`Length::ZERO`] means the engine's default.
    pub step: Length,
    /// How far to look back (positive) or ahead (negative).
    pub offset: Length,
    /// The `@` modifier.
    pub at: At,
    /// Where it stands.
    pub span: Span,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is called.
    pub function: &'static Signature,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// An aggregation over an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Which one.
    pub op: Aggregation,
    /// The first argument of those that take two.
    pub param: Option<Expr>,
    /// What is aggregated.
    pub expr: Expr,
    /// Labels to keep, or to drop.
    pub labels: Vec<String>,
    /// Whether [`Self::labels`] are dropped (`without`) rather than kept (`by`).
    pub without: bool,
    /// Where it stands.
    pub span: Span,
}

/// How many series of either side a match may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cardinality {
    /// One series on each side.
    #[default]
    OneToOne,
    /// `group_left`.
    ManyToOne,
    /// `group_right`.
    OneToMany,
    /// Set operators.
    ManyToMany,
}

impl Cardinality {
    /// The name that messages and the AST's JSON use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OneToOne => "one-to-one",
            Self::ManyToOne => "many-to-one",
            Self::OneToMany => "one-to-many",
            Self::ManyToMany => "many-to-many",
        }
    }
}

/// How series of two instant vectors find each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matching {
    /// How many may meet.
    pub cardinality: Cardinality,
    /// Labels to match on, or to ignore.
    pub labels: Vec<String>,
    /// Whether [`Self::labels`] are matched on (`on`) rather than ignored (`ignoring`).
    pub on: bool,
    /// Labels that the result takes over from the "one" side.
    pub include: Vec<String>,
    /// Value of a series that is missing on the left.
    pub fill_left: Option<f64>,
    /// Value of a series that is missing on the right.
    pub fill_right: Option<f64>,
}

/// A binary operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// Which one.
    pub op: BinaryOp,
    /// Left operand.
    pub lhs: Expr,
    /// Right operand.
    pub rhs: Expr,
    /// Given when both operands are instant vectors.
    pub matching: Option<Matching>,
    /// `bool`: a comparison gives 0 or 1 rather than filtering.
    pub return_bool: bool,
}

/// A sign before an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    /// Which one.
    pub op: UnaryOp,
    /// What it stands before.
    pub expr: Expr,
    /// Where it stands.
    pub span: Span,
}

/// An expression in parentheses.
#[derive(Debug, Clone, PartialEq)]
pub struct Paren {
    /// What is inside.
    pub expr: Expr,
    /// Where it stands, parentheses included.
    pub span: Span,
}

impl Expr {
    /// Where it stands in the text.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Number(n) => n.span,
            Self::String(s) => s.span,
            Self::Vector(v) => v.span,
            Self::Matrix(m) => m.span,
            Self::Subquery(s) => s.span,
            Self::Call(c) => c.span,
            Self::Aggregate(a) => a.span,
            Self::Binary(b) => b.span(),
            Self::Unary(u) => u.span,
            Self::Paren(p) => p.span,
        }
    }

    /// What it evaluates to.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Number(_) => ValueType::Scalar,
            Self::String(_) => ValueType::String,
            Self::Vector(_) | Self::Aggregate(_) => ValueType::Vector,
            Self::Matrix(_) | Self::Subquery(_) => ValueType::Matrix,
            Self::Call(c) => c.function.returns,
            Self::Binary(b) => match (b.lhs.value_type(), b.rhs.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
            Self::Unary(u) => u.expr.value_type(),
            Self::Paren(p) => p.expr.value_type(),
        }
    }

    /// The expression inside all parentheses around it.
    #[must_use]
    pub fn bare(&self) -> &Self {
        let mut expr = self;
        while let Self::Paren(p) = expr {
            expr = &p.expr;
        }
        expr
    }
}

impl Binary {
    /// Where it stands: from its left operand to its right one.
    #[must_use]
    pub fn span(&self) -> Span {
        let (mut first, mut last) = (&self.lhs, &self.rhs);
        while let Expr::Binary(b) = first {
            first = &b.lhs;
        }
        while let Expr::Binary(b) = last {
            last = &b.rhs;
        }
        first.span().to(last.span())
    }
}
