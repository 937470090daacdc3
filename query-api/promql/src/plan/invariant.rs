//! Which parts of an expression are the same at every step: those whose selectors all have an `@`, and that call no function
//! whose result depends on the time of evaluation.

use crate::ast::{At, Expr, ValueType};

/// Functions that depend on the step even when their arguments do not.
const DEPEND_ON_TIME: [&str; 14] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "end",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "year",
];

/// Whether the value is the same at every step.
pub(super) fn is_invariant(expr: &Expr) -> bool {
    match expr.bare() {
        Expr::Number(_) | Expr::String(_) => true,
        Expr::Vector(selector) => selector.at != At::Evaluation,
        Expr::Matrix(matrix) => matrix.selector.at != At::Evaluation,
        Expr::Subquery(subquery) => subquery.at != At::Evaluation,
        Expr::Call(call) => {
            let name = call.function.name;
            name != "timestamp" && !DEPEND_ON_TIME.contains(&name) && call.args.iter().all(is_invariant)
        }
        Expr::Aggregate(a) => is_invariant(&a.expr) && a.param.as_ref().is_none_or(is_invariant),
        Expr::Binary(b) => is_invariant(&b.lhs) && is_invariant(&b.rhs),
        Expr::Unary(u) => is_invariant(&u.expr),
        Expr::Paren(p) => is_invariant(&p.expr),
    }
}

/// Whether evaluating it once instead of at every step saves anything.
///
/// A range vector is not hoisted: what it is an argument of either is, or looks at each step's own time.
pub(super) fn is_hoisted(expr: &Expr) -> bool {
    let literal = matches!(expr.bare(), Expr::Number(_) | Expr::String(_));
    !literal && expr.value_type() != ValueType::Matrix && is_invariant(expr)
}
