//! The canonical text of an expression: what the parser would read as the same tree.
//!
//! Knows: Prometheus' spelling (`promql/parser/printer.go`). Must not know: line breaks (`pretty`). Use `to_string`.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    Aggregate, At, Binary, BinaryOp, Call, Cardinality, DurationExpr, DurationKind, Ends, Expr, Length,
    Matching, MatrixSelector, Number, Subquery, VectorSelector,
};
use crate::labels::{METRIC_NAME, MatchOp, is_plain_name};
use crate::number::{fixed, format_millis, general, seconds_to_millis};
use crate::quote::quoted;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => n.fmt(f),
            Self::String(s) => f.write_str(&quoted(&s.value)),
            Self::Vector(v) => v.fmt(f),
            Self::Matrix(m) => m.fmt(f),
            Self::Subquery(s) => write!(f, "{}{}", s.expr, s.suffix()),
            Self::Call(c) => c.fmt(f),
            Self::Aggregate(a) => {
                write!(f, "{}(", a.head())?;
                if let Some(param) = &a.param {
                    write!(f, "{param}, ")?;
                }
                write!(f, "{})", a.expr)
            }
            Self::Binary(b) => write!(f, "{} {} {}", b.lhs, b.head(), b.rhs),
            Self::Unary(u) => write!(f, "{}{}", u.op.symbol(), u.expr),
            Self::Paren(p) => write!(f, "({})", p.expr),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.duration {
            f.write_str(&format_millis(seconds_to_millis(self.value)))
        } else {
            f.write_str(&fixed(self.value))
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name)?;
        for (i, arg) in self.args.iter().enumerate() {
            write!(f, "{}{arg}", if i > 0 { ", " } else { "" })?;
        }
        f.write_char(')')
    }
}

impl Aggregate {
    /// `sum by (a, b) `: everything before the parenthesis.
    pub(crate) fn head(&self) -> String {
        let name = self.op.name();
        match (self.without, self.labels.is_empty()) {
            (true, _) => format!("{name} without ({}) ", labels(&self.labels)),
            (false, false) => format!("{name} by ({}) ", labels(&self.labels)),
            (false, true) => name.to_owned(),
        }
    }
}

impl Binary {
    /// `+ on (a) group_left ()`: everything between the operands.
    pub(crate) fn head(&self) -> String {
        let mut head = self.op.symbol().to_owned();
        if self.return_bool {
            head.push_str(" bool");
        }
        if let Some(matching) = &self.matching {
            head.push_str(&matching.text());
        }
        head
    }
}

impl Matching {
    fn text(&self) -> String {
        let mut text = String::new();
        let grouped = matches!(self.cardinality, Cardinality::ManyToOne | Cardinality::OneToMany);
        if !self.labels.is_empty() || self.on || grouped {
            let word = if self.on { "on" } else { "ignoring" };
            text.push_str(&format!(" {word} ({})", labels(&self.labels)));
        }
        if grouped {
            let side = if self.cardinality == Cardinality::ManyToOne { "left" } else { "right" };
            text.push_str(&format!(" group_{side} ({})", labels(&self.include)));
        }
        match (self.fill_left, self.fill_right) {
            (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
                text.push_str(&format!(" fill ({})", general(left)));
            }
            (left, right) => {
                let one = |side: &str, value: Option<f64>| {
                    value.map_or(String::new(), |v| format!(" fill_{side} ({})", general(v)))
                };
                text.push_str(&one("left", left));
                text.push_str(&one("right", right));
            }
        }
        text
    }
}

fn labels(names: &[String]) -> String {
    let name = |n: &String| if is_plain_name(n) { n.clone() } else { quoted(n) };
    names.iter().map(name).collect::<Vec<_>>().join(", ")
}

impl Subquery {
    /// `[5m:1m] @ 1.000 offset 1m`
    pub(crate) fn suffix(&self) -> String {
        let step = if self.step.is_zero() { String::new() } else { self.step.to_string() };
        format!("[{}:{step}]{}{}", self.range, At::text(self.at), offset(&self.offset))
    }
}

impl At {
    fn text(self) -> String {
        match self {
            Self::Evaluation => String::new(),
            Self::Millis(ms) => {
                let sign = if ms < 0 { "-" } else { "" };
                let ms = ms.unsigned_abs();
                format!(" @ {sign}{}.{:03}", ms / 1000, ms % 1000)
            }
            Self::Start => " @ start()".to_owned(),
            Self::End => " @ end()".to_owned(),
        }
    }
}

fn offset(length: &Length) -> String {
    if length.is_zero() { String::new() } else { format!(" offset {length}") }
}

fn ends(ends: Ends) -> &'static str {
    match ends {
        Ends::Plain => "",
        Ends::Anchored => " anchored",
        Ends::Smoothed => " smoothed",
    }
}

impl VectorSelector {
    /// Name and conditions, without modifiers.
    fn series(&self) -> String {
        let says_name = |m: &&crate::labels::Matcher| {
            m.name == METRIC_NAME && m.op == MatchOp::Equal && m.value == self.name && !m.value.is_empty()
        };
        let mut matchers: Vec<_> =
            self.matchers.iter().filter(|m| !says_name(m)).map(ToString::to_string).collect();
        if matchers.is_empty() {
            // only `info` may select everything, and `{}` is how that is written
            return if self.name.is_empty() { "{}".to_owned() } else { self.name.clone() };
        }
        matchers.sort();
        format!("{}{{{}}}", self.name, matchers.join(","))
    }
}

impl Display for VectorSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (at, offset) = (At::text(self.at), offset(&self.offset));
        write!(f, "{}{at}{}{offset}", self.series(), ends(self.ends))
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let selector = &self.selector;
        let (at, offset) = (At::text(selector.at), offset(&selector.offset));
        write!(f, "{}[{}]{}{at}{offset}", selector.series(), self.range, ends(selector.ends))
    }
}

impl Display for Length {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Millis(ms) => f.write_str(&format_millis(*ms)),
            Self::Expr(expr) => expr.fmt(f),
        }
    }
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.wrapped {
            f.write_char('(')?;
        }
        match &self.kind {
            DurationKind::Number(n) => n.fmt(f)?,
            DurationKind::Step => f.write_str("step()")?,
            DurationKind::Range => f.write_str("range()")?,
            DurationKind::Negate(inner) => write!(f, "{}{inner}", BinaryOp::Sub.symbol())?,
            DurationKind::Same(inner) => inner.fmt(f)?,
            DurationKind::Binary(op, a, b) => write!(f, "{a} {} {b}", op.symbol())?,
            DurationKind::Min(a, b) => write!(f, "min_of({a}, {b})")?,
            DurationKind::Max(a, b) => write!(f, "max_of({a}, {b})")?,
        }
        if self.wrapped {
            f.write_char(')')?;
        }
        Ok(())
    }
}
