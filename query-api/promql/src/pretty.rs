//! The canonical text with line breaks: what does not fit into a line is split, parts indented by two blanks.
//!
//! Knows: where Prometheus breaks lines (`promql/parser/prettier.go`). Must not know: spelling (`print`).
//! Start at [`pretty`].

use crate::ast::Expr;

const LINE_BYTES_MAX: usize = 100;
const INDENT: &str = "  ";

/// The expression with line breaks.
#[must_use]
pub fn pretty(expr: &Expr) -> String {
    at_level(expr, 0)
}

fn at_level(expr: &Expr, level: usize) -> String {
    let indent = INDENT.repeat(level);
    let line = expr.to_string();
    let fits = line.len() <= LINE_BYTES_MAX;
    match expr {
        Expr::Unary(u) => format!("{indent}{}{}", u.op.symbol(), at_level(&u.expr, level).trim()),
        // as Prometheus has it: a subquery that fits is not indented
        Expr::Subquery(_) if fits => line,
        Expr::Subquery(s) => format!("{}{}", at_level(&s.expr, level), s.suffix()),
        _ if fits => format!("{indent}{line}"),
        Expr::Number(_) | Expr::String(_) | Expr::Vector(_) | Expr::Matrix(_) => format!("{indent}{line}"),
        Expr::Aggregate(a) => {
            let param = a.param.as_ref().map_or(String::new(), |p| format!("{},\n", at_level(p, level + 1)));
            format!("{indent}{}(\n{param}{}\n{indent})", a.head(), at_level(&a.expr, level + 1))
        }
        Expr::Binary(b) => {
            let (left, right) = (at_level(&b.lhs, level + 1), at_level(&b.rhs, level + 1));
            format!("{left}\n{indent}{}\n{right}", b.head())
        }
        Expr::Call(c) => {
            let args: Vec<_> = c.args.iter().map(|a| at_level(a, level + 1)).collect();
            format!("{indent}{}(\n{}\n{indent})", c.function.name, args.join(",\n"))
        }
        Expr::Paren(p) => format!("{indent}(\n{}\n{indent})", at_level(&p.expr, level + 1)),
    }
}

#[cfg(test)]
mod tests {
    use crate::options::Syntax;

    fn check(text: &str, expected: &str) {
        let expr = crate::parse::expr(text, &Syntax::default()).unwrap();
        let pretty = super::pretty(&expr);
        assert_eq!(pretty, expected);
        let again = crate::parse::expr(&pretty, &Syntax::default()).unwrap();
        assert_eq!(again.without_spans(), expr.without_spans());
    }

    #[test]
    fn what_fits_stays_on_its_line() {
        check("sum by(job)(rate(http_requests_total[5m]))", "sum by (job) (rate(http_requests_total[5m]))");
    }

    #[test]
    fn what_does_not_fit_is_split() {
        check(
            r#"topk(3, sum without(instance) (rate(http_requests_total{code=~"5..",job="api-server"}[5m]))) / on(job) group_left(a) (sum by(job)(rate(http_requests_total[5m])) > bool vector(10))"#,
            r#"  topk(3, sum without (instance) (rate(http_requests_total{code=~"5..",job="api-server"}[5m])))
/ on (job) group_left (a)
  (sum by (job) (rate(http_requests_total[5m])) > bool vector(10))"#,
        );
        check(
            r#"label_replace(a_rather_long_metric_name{with="labels"}, "destination_label", "$1", "source", "(.*)_suffix")"#,
            r#"label_replace(
  a_rather_long_metric_name{with="labels"},
  "destination_label",
  "$1",
  "source",
  "(.*)_suffix"
)"#,
        );
    }
}
