//! What is grammatical but makes no sense.
//!
//! Knows: which types go where, and the words for it (`promql/parser/parse.go`, `checkAST`). Must not know: how the
//! tree came to be. The first error in Prometheus' order of looking is the one that is reported.

use crate::ast::{Aggregate, Aggregation, Binary, Call, Cardinality, Expr, Span, ValueType, VectorSelector};
use crate::labels::METRIC_NAME;
use crate::parse::ParseError;
use crate::quote::quoted;
use crate::signature::Variadic;

/// Refuses what makes no sense, and settles what depends on types: how series of two vectors find each other.
pub(crate) fn check(expr: &mut Expr, text: &str) -> Result<(), ParseError> {
    Checker { text }.expr(expr)
}

struct Checker<'a> {
    text: &'a str,
}

type Checked = Result<(), ParseError>;

impl Checker<'_> {
    fn refuse(&self, span: Span, message: impl Into<String>) -> Checked {
        Err(ParseError { span, message: message.into(), position: span.position(self.text) })
    }

    fn expr(&self, expr: &mut Expr) -> Checked {
        let span = expr.span();
        match expr {
            Expr::Number(_) | Expr::String(_) => Ok(()),
            Expr::Vector(v) => self.selector(v),
            Expr::Matrix(m) => self.selector(&m.selector),
            Expr::Paren(p) => self.expr(&mut p.expr),
            Expr::Call(c) => self.call(c),
            Expr::Aggregate(a) => self.aggregate(a),
            Expr::Binary(b) => self.binary(b),
            Expr::Subquery(s) => {
                self.expr(&mut s.expr)?;
                match s.expr.value_type() {
                    ValueType::Vector => Ok(()),
                    other => {
                        let message = "subquery is only allowed on instant vector, got";
                        self.refuse(span, format!("{message} {} instead", other.name()))
                    }
                }
            }
            Expr::Unary(u) => {
                self.expr(&mut u.expr)?;
                match u.expr.value_type() {
                    ValueType::Scalar | ValueType::Vector => Ok(()),
                    other => {
                        let message =
                            "unary expression only allowed on expressions of type scalar or instant vector";
                        self.refuse(span, format!("{message}, got {}", quoted(other.documented())))
                    }
                }
            }
        }
    }

    fn expect(&self, expr: &mut Expr, wanted: ValueType, context: &str) -> Checked {
        self.expr(expr)?;
        self.typed(expr, wanted, context)
    }

    fn typed(&self, expr: &Expr, wanted: ValueType, context: &str) -> Checked {
        let got = expr.value_type();
        if got == wanted {
            return Ok(());
        }
        let (wanted, got) = (wanted.documented(), got.documented());
        self.refuse(expr.span(), format!("expected type {wanted} in {context}, got {got}"))
    }

    fn aggregate(&self, aggregate: &mut Aggregate) -> Checked {
        self.expect(&mut aggregate.expr, ValueType::Vector, "aggregation expression")?;
        let wanted = match aggregate.op {
            Aggregation::CountValues => ValueType::String,
            _ => ValueType::Scalar,
        };
        match &mut aggregate.param {
            Some(param) => self.expect(param, wanted, "aggregation parameter"),
            None => Ok(()),
        }
    }

    fn binary(&self, binary: &mut Binary) -> Checked {
        self.expr(&mut binary.lhs)?;
        self.expr(&mut binary.rhs)?;
        let (left, right) = (binary.lhs.value_type(), binary.rhs.value_type());
        let (op, span) = (binary.op, binary.span());
        let scalars = left == ValueType::Scalar && right == ValueType::Scalar;
        if binary.return_bool && !op.is_comparison() {
            return self
                .refuse(self.operator(binary), "bool modifier can only be used on comparison operators");
        }
        if op.is_comparison() && !binary.return_bool && scalars {
            return self.refuse(self.operator(binary), "comparisons between scalars must use BOOL modifier");
        }
        self.on_and_group_differ(binary)?;
        for (operand, value_type) in [(&binary.lhs, left), (&binary.rhs, right)] {
            if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
                let message = "binary expression must contain only scalar and instant vector types";
                return self.refuse(operand.span(), message);
            }
        }
        if left == ValueType::Vector && right == ValueType::Vector {
            return self.set_matching(binary);
        }
        let matching = binary.matching.take().unwrap_or_default();
        if !matching.labels.is_empty() {
            return self.refuse(span, "vector matching only allowed between instant vectors");
        }
        if matching.fill_left.is_some() || matching.fill_right.is_some() {
            return self.refuse(span, "filling in missing series only allowed between instant vectors");
        }
        if op.is_set() {
            let op = quoted(op.symbol());
            return self.refuse(span, format!("set operator {op} not allowed in binary scalar expression"));
        }
        Ok(())
    }

    fn set_matching(&self, binary: &mut Binary) -> Checked {
        let (op, span) = (binary.op, binary.span());
        let Some(matching) = binary.matching.as_mut().filter(|_| op.is_set()) else { return Ok(()) };
        if matching.cardinality != Cardinality::OneToOne {
            return self.refuse(span, format!("no grouping allowed for {} operation", quoted(op.symbol())));
        }
        matching.cardinality = Cardinality::ManyToMany;
        if matching.fill_left.is_some() || matching.fill_right.is_some() {
            return self.refuse(span, "filling in missing series not allowed for set operators");
        }
        Ok(())
    }

    fn on_and_group_differ(&self, binary: &Binary) -> Checked {
        let Some(matching) = binary.matching.as_ref().filter(|m| m.on) else { return Ok(()) };
        match matching.labels.iter().find(|l| matching.include.contains(l)) {
            Some(label) => self.refuse(
                self.operator(binary),
                format!("label {} must not occur in ON and GROUP clause at once", quoted(label)),
            ),
            None => Ok(()),
        }
    }

    /// Where the operator stands: between its operands.
    fn operator(&self, binary: &Binary) -> Span {
        let (from, to) = (binary.lhs.span().end, binary.rhs.span().start);
        let between = self.text.get(from..to).unwrap_or_default();
        let blanks = between.len() - between.trim_start().len();
        Span::new(from + blanks, to.max(from + blanks))
    }

    fn call(&self, call: &mut Call) -> Checked {
        self.count(call)?;
        let name = call.function.name;
        let context = format!("call to function {}", quoted(name));
        if name == "info" {
            self.info(call)?;
        }
        for (i, arg) in call.args.iter_mut().enumerate() {
            let types = call.function.args;
            match types.get(i).or_else(|| types.last()) {
                Some(wanted) => self.expect(arg, *wanted, &context)?,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn count(&self, call: &Call) -> Checked {
        let (types, got, name) = (call.function.args.len(), call.args.len(), quoted(call.function.name));
        let least = types.saturating_sub(1);
        let message = match call.function.variadic {
            Variadic::No if got != types => {
                format!("expected {types} argument(s) in call to {name}, got {got}")
            }
            Variadic::Up(_) | Variadic::Any if got < least => {
                format!("expected at least {least} argument(s) in call to {name}, got {got}")
            }
            Variadic::Up(more) if got > least + more => {
                format!("expected at most {} argument(s) in call to {name}, got {got}", least + more)
            }
            _ => return Ok(()),
        };
        self.refuse(call.span, message)
    }

    /// The second argument of `info` is no vector but conditions on labels.
    fn info(&self, call: &mut Call) -> Checked {
        let span = call.span;
        match call.args.get_mut(1) {
            None => Ok(()),
            Some(other) if other.value_type() != ValueType::Vector => {
                let got = other.value_type().documented();
                self.refuse(
                    span,
                    format!("expected type instant vector in call to function \"info\", got {got}"),
                )
            }
            Some(Expr::Vector(v)) if v.name.is_empty() => {
                v.may_match_all = true;
                Ok(())
            }
            Some(Expr::Vector(v)) => {
                self.refuse(v.span, "expected label selectors only, got vector selector instead")
            }
            Some(other) => self.refuse(other.span(), "expected label selectors only"),
        }
    }

    fn selector(&self, selector: &VectorSelector) -> Checked {
        if !selector.name.is_empty() {
            let inside = selector.matchers.iter().rev().skip(1).rev();
            return match inside.into_iter().find(|m| m.name == METRIC_NAME) {
                Some(twice) => self.refuse(
                    selector.span,
                    format!(
                        "metric name must not be set twice: {} or {}",
                        quoted(&selector.name),
                        quoted(&twice.value)
                    ),
                ),
                None => Ok(()),
            };
        }
        if selector.may_match_all || selector.matchers.iter().any(|m| !m.matches_empty()) {
            return Ok(());
        }
        self.refuse(selector.span, "vector selector must contain at least one non-empty matcher")
    }
}
