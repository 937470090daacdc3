//! The tree as `/api/v1/parse_query` shows it.
//!
//! Knows: the shapes that Prometheus' user interface reads (`web/api/v1/translate_ast.go`). Must not know: HTTP.
//! Start at [`to_json`].

use serde_json::{Value, json};

use crate::ast::{
    Aggregate, At, Binary, Call, Ends, Expr, Length, Matching, MatrixSelector, Subquery, VectorSelector,
};
use crate::labels::Matcher;
use crate::number::fixed;
use crate::signature::Variadic;

/// The tree of an expression.
#[must_use]
pub fn to_json(expr: &Expr) -> Value {
    match expr {
        Expr::Number(n) => json!({ "type": "numberLiteral", "val": fixed(n.value) }),
        Expr::String(s) => json!({ "type": "stringLiteral", "val": s.value }),
        Expr::Paren(p) => json!({ "type": "parenExpr", "expr": to_json(&p.expr) }),
        Expr::Unary(u) => json!({ "type": "unaryExpr", "op": u.op.symbol(), "expr": to_json(&u.expr) }),
        Expr::Vector(v) => vector(v),
        Expr::Matrix(m) => matrix(m),
        Expr::Subquery(s) => subquery(s),
        Expr::Call(c) => call(c),
        Expr::Aggregate(a) => aggregate(a),
        Expr::Binary(b) => binary(b),
    }
}

fn aggregate(a: &Aggregate) -> Value {
    json!({
        "type": "aggregation",
        "op": a.op.name(),
        "expr": to_json(&a.expr),
        "param": a.param.as_ref().map(to_json),
        "grouping": a.labels,
        "without": a.without,
    })
}

fn binary(b: &Binary) -> Value {
    json!({
        "type": "binaryExpr",
        "op": b.op.symbol(),
        "lhs": to_json(&b.lhs),
        "rhs": to_json(&b.rhs),
        "matching": b.matching.as_ref().map(matching),
        "bool": b.return_bool,
    })
}

fn matching(m: &Matching) -> Value {
    // JSON knows no infinities: they are written as Prometheus writes sample values
    let fill = |v: Option<f64>| v.map(|v| if v.is_finite() { json!(v) } else { json!(fixed(v)) });
    json!({
        "card": m.cardinality.name(),
        "labels": m.labels,
        "on": m.on,
        "include": m.include,
        "fillValues": { "lhs": fill(m.fill_left), "rhs": fill(m.fill_right) },
    })
}

fn call(c: &Call) -> Value {
    let variadic = match c.function.variadic {
        Variadic::No => 0,
        Variadic::Up(more) => i64::try_from(more).unwrap_or(i64::MAX),
        Variadic::Any => -1,
    };
    json!({
        "type": "call",
        "func": {
            "name": c.function.name,
            "argTypes": c.function.args.iter().map(|t| t.name()).collect::<Vec<_>>(),
            "variadic": variadic,
            "returnType": c.function.returns.name(),
        },
        "args": c.args.iter().map(to_json).collect::<Vec<_>>(),
    })
}

/// Adds what all selectors have: offset, `@`, and what of lengths of time is not fixed.
fn timed(mut value: Value, at: At, lengths: &[(&str, &Length)]) -> Value {
    let Some(fields) = value.as_object_mut() else { return value };
    let timestamp = if let At::Millis(ms) = at { Some(ms) } else { None };
    fields.insert("timestamp".to_owned(), json!(timestamp));
    let edge = match at {
        At::Start => Some("start"),
        At::End => Some("end"),
        At::Evaluation | At::Millis(_) => None,
    };
    fields.insert("startOrEnd".to_owned(), json!(edge));
    for (name, length) in lengths {
        match length {
            Length::Millis(ms) => fields.insert((*name).to_owned(), json!(ms)),
            Length::Expr(expr) => {
                fields.insert(format!("{name}Expr"), json!(expr.to_string()));
                fields.insert((*name).to_owned(), json!(0))
            }
        };
    }
    value
}

fn ends(mut value: Value, ends: Ends) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.insert("anchored".to_owned(), json!(ends == Ends::Anchored));
        fields.insert("smoothed".to_owned(), json!(ends == Ends::Smoothed));
    }
    value
}

fn vector(v: &VectorSelector) -> Value {
    let value = json!({ "type": "vectorSelector", "name": v.name, "matchers": matchers(&v.matchers) });
    ends(timed(value, v.at, &[("offset", &v.offset)]), v.ends)
}

fn matrix(m: &MatrixSelector) -> Value {
    let v = &m.selector;
    let value = json!({ "type": "matrixSelector", "name": v.name, "matchers": matchers(&v.matchers) });
    ends(timed(value, v.at, &[("range", &m.range), ("offset", &v.offset)]), v.ends)
}

fn subquery(s: &Subquery) -> Value {
    let value = json!({ "type": "subquery", "expr": to_json(&s.expr) });
    timed(value, s.at, &[("range", &s.range), ("offset", &s.offset), ("step", &s.step)])
}

fn matchers(all: &[Matcher]) -> Value {
    all.iter().map(|m| json!({ "name": m.name, "value": m.value, "type": m.op.symbol() })).collect()
}
