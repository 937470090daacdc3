//! Walking a tree.
//!
//! Knows: which expressions an expression holds. Must not know: what anybody wants with them.

use super::{DurationExpr, DurationKind, Expr, Length, Span};

impl Expr {
    /// The expressions directly inside, in the order in which they are evaluated.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let (one, two, many): (Option<&Self>, Option<&Self>, &[Self]) = match self {
            Self::Number(_) | Self::String(_) | Self::Vector(_) | Self::Matrix(_) => (None, None, &[]),
            Self::Subquery(s) => (Some(&s.expr), None, &[]),
            Self::Call(c) => (None, None, &c.args),
            Self::Aggregate(a) => (Some(&a.expr), a.param.as_ref(), &[]),
            Self::Binary(b) => (Some(&b.lhs), Some(&b.rhs), &[]),
            Self::Unary(u) => (Some(&u.expr), None, &[]),
            Self::Paren(p) => (Some(&p.expr), None, &[]),
        };
        one.into_iter().chain(two).chain(many)
    }

    /// Calls `visit` for this expression and all inside, parents first.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.visit(visit);
        }
    }

    /// Calls `visit` for this expression and all inside, parents first; does not enter where `visit` says false.
    pub fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Self) -> bool) {
        if !visit(self) {
            return;
        }
        match self {
            Self::Number(_) | Self::String(_) | Self::Vector(_) | Self::Matrix(_) => {}
            Self::Subquery(s) => s.expr.visit_mut(visit),
            Self::Call(c) => c.args.iter_mut().for_each(|a| a.visit_mut(visit)),
            Self::Aggregate(a) => {
                a.expr.visit_mut(visit);
                if let Some(param) = &mut a.param {
                    param.visit_mut(visit);
                }
            }
            Self::Binary(b) => {
                b.lhs.visit_mut(visit);
                b.rhs.visit_mut(visit);
            }
            Self::Unary(u) => u.expr.visit_mut(visit),
            Self::Paren(p) => p.expr.visit_mut(visit),
        }
    }

    /// The same expression with every span empty: what equality means when places do not matter.
    #[must_use]
    pub fn without_spans(&self) -> Self {
        let mut expr = self.clone();
        expr.visit_mut(&mut |e| {
            forget(e);
            true
        });
        expr
    }
}

fn forget(expr: &mut Expr) {
    match expr {
        Expr::Number(n) => n.span = Span::default(),
        Expr::String(s) => s.span = Span::default(),
        Expr::Vector(v) => {
            v.span = Span::default();
            forget_length(&mut v.offset);
        }
        Expr::Matrix(m) => {
            m.span = Span::default();
            m.selector.span = Span::default();
            forget_length(&mut m.range);
            forget_length(&mut m.selector.offset);
        }
        Expr::Subquery(s) => {
            s.span = Span::default();
            forget_length(&mut s.range);
            forget_length(&mut s.step);
            forget_length(&mut s.offset);
        }
        Expr::Call(c) => c.span = Span::default(),
        Expr::Aggregate(a) => a.span = Span::default(),
        Expr::Binary(_) => {}
        Expr::Unary(u) => u.span = Span::default(),
        Expr::Paren(p) => p.span = Span::default(),
    }
}

fn forget_length(length: &mut Length) {
    if let Length::Expr(expr) = length {
        forget_duration(expr);
    }
}

fn forget_duration(expr: &mut DurationExpr) {
    expr.span = Span::default();
    match &mut expr.kind {
        DurationKind::Number(n) => n.span = Span::default(),
        DurationKind::Step | DurationKind::Range => {}
        DurationKind::Negate(a) | DurationKind::Same(a) => forget_duration(a),
        DurationKind::Binary(_, a, b) | DurationKind::Min(a, b) | DurationKind::Max(a, b) => {
            forget_duration(a);
            forget_duration(b);
        }
    }
}
