//! From the tree of the parser to a plan.

use super::durations::millis;
use super::{Aggregate, Binary, Node, NodeId, Op, Plan, Select, Window, invariant, twins};
use crate::ast::{self, At, Ends, Expr, Length, Matching, Span, UnaryOp, ValueType};
use crate::engine::QueryError;
use crate::functions::{Function, OverTime};
use crate::kernels::extrapolate::Change;
use crate::kernels::windows::{Grid, Reference};
use crate::labels::Matcher;

/// The times of a query that its text may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// First step.
    pub start: i64,
    /// The end that was asked for; the last step may be before it.
    pub end: i64,
    /// Distance of steps; of no matter to an instant query.
    pub step: i64,
    /// The distance of a subquery's evaluations when none is given.
    pub subquery_step: i64,
}

impl Times {
    pub(super) fn step_seconds(&self) -> f64 {
        if self.start == self.end { 0.0 } else { self.step as f64 / 1000.0 }
    }

    pub(super) fn range_seconds(&self) -> f64 {
        (self.end - self.start) as f64 / 1000.0
    }
}

/// Deeper trees are refused: evaluation recurses as deep as the plan.
const DEPTH_MAX: usize = 600;

impl Plan {
    /// Makes `expr` ready for evaluation at `times`.
    ///
    /// # Errors
    /// When a duration expression has no valid value, a modifier does not fit its function, or the tree is too deep.
    pub fn build(expr: &Expr, times: Times) -> Result<Self, QueryError> {
        let mut builder = Builder { nodes: Vec::new(), times, depth: 0, summary: false, whole: false };
        let expr = expr.bare();
        if invariant::is_hoisted(expr) {
            builder.hoist(expr)?;
        } else {
            builder.node(expr)?;
        }
        let mut nodes = builder.nodes;
        twins::find(&mut nodes);
        Ok(Self { nodes, grid: Grid::range(times.start, times.end, times.step) })
    }
}

struct Builder {
    nodes: Vec<Node>,
    times: Times,
    depth: usize,
    /// Whether the part being built only needs count and sum of histograms.
    summary: bool,
    /// Whether something around it needs all of them.
    whole: bool,
}

/// What a function needs to know of histograms.
enum Interest {
    /// Count and sum.
    Summary,
    /// Buckets too, or, of a subquery, the samples as they are.
    Whole,
    /// What is around it decides.
    Same,
}

impl Builder {
    fn reserve(&mut self, span: Span, value_type: ValueType) -> Result<NodeId, QueryError> {
        let id =
            u32::try_from(self.nodes.len()).map_err(|_too_many| QueryError::TooDeep { limit: DEPTH_MAX })?;
        let op = Op::Number(0.0);
        self.nodes.push(Node { op, span, value_type, twin: None, shared: false });
        Ok(NodeId(id))
    }

    fn hoist(&mut self, expr: &Expr) -> Result<NodeId, QueryError> {
        let id = self.reserve(expr.span(), expr.value_type())?;
        let inner = self.node(expr)?;
        self.fill(id, Op::Hoist(inner));
        Ok(id)
    }

    fn fill(&mut self, id: NodeId, op: Op) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.op = op;
        }
    }

    /// A child of a part that changes from step to step.
    fn child(&mut self, expr: &Expr, hoist: bool) -> Result<NodeId, QueryError> {
        let expr = expr.bare();
        if hoist && invariant::is_hoisted(expr) { self.hoist(expr) } else { self.node(expr) }
    }

    fn node(&mut self, expr: &Expr) -> Result<NodeId, QueryError> {
        let expr = expr.bare();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(QueryError::TooDeep { limit: DEPTH_MAX });
        }
        let id = self.reserve(expr.span(), expr.value_type())?;
        let op = self.op(expr)?;
        self.fill(id, op);
        self.depth -= 1;
        Ok(id)
    }

    fn op(&mut self, expr: &Expr) -> Result<Op, QueryError> {
        // inside a part that is hoisted as a whole, nothing more is
        let hoist = !invariant::is_invariant(expr);
        Ok(match expr {
            Expr::Number(number) => Op::Number(number.value),
            Expr::String(text) => Op::Text(text.value.clone()),
            Expr::Vector(selector) => Op::Select(Select {
                matchers: selector.matchers.clone(),
                reference: self.reference(&selector.offset, selector.at)?,
                ends: selector.ends,
                summary: self.summary,
            }),
            Expr::Matrix(matrix) => {
                let reference = self.reference(&matrix.selector.offset, matrix.selector.at)?;
                let range = millis(&matrix.range, &self.times, false)?;
                let matchers: Vec<Matcher> = matrix.selector.matchers.clone();
                Op::Range(
                    matchers,
                    Window { reference, range, ends: matrix.selector.ends, summary: self.summary },
                )
            }
            Expr::Subquery(subquery) => self.subquery(subquery)?,
            Expr::Call(call) => self.call(call, hoist)?,
            Expr::Aggregate(aggregate) => {
                let param = aggregate.param.as_ref().map(|param| self.child(param, hoist)).transpose()?;
                let mut labels = aggregate.labels.clone();
                labels.sort();
                labels.dedup();
                Op::Aggregate(Aggregate {
                    op: aggregate.op,
                    param,
                    input: self.child(&aggregate.expr, hoist)?,
                    labels,
                    without: aggregate.without,
                })
            }
            Expr::Binary(binary) => Op::Binary(Binary {
                op: binary.op,
                lhs: self.child(&binary.lhs, hoist)?,
                rhs: self.child(&binary.rhs, hoist)?,
                matching: binary.matching.clone().unwrap_or_else(Matching::default),
                return_bool: binary.return_bool,
            }),
            Expr::Unary(unary) => match unary.op {
                UnaryOp::Plus => return self.plus(&unary.expr),
                UnaryOp::Minus => Op::Negate(self.child(&unary.expr, hoist)?),
            },
            Expr::Paren(_) => return Err(QueryError::execution("parentheses were not removed")),
        })
    }

    /// Builds under a function that needs so much of histograms.
    fn under<T>(&mut self, interest: Interest, build: impl FnOnce(&mut Self) -> T) -> T {
        let around = (self.summary, self.whole);
        match interest {
            Interest::Summary => self.summary = !self.whole,
            Interest::Whole => (self.summary, self.whole) = (false, true),
            Interest::Same => {}
        }
        let built = build(self);
        (self.summary, self.whole) = around;
        built
    }

    /// `+x` is `x`; it takes the node that was reserved for the sign.
    fn plus(&mut self, inner: &Expr) -> Result<Op, QueryError> {
        self.op(inner.bare())
    }

    fn reference(&self, offset: &Length, at: At) -> Result<Reference, QueryError> {
        let at = match at {
            At::Evaluation => None,
            At::Millis(at) => Some(at),
            At::Start => Some(self.times.start),
            At::End => Some(self.times.end),
        };
        Ok(Reference { at, offset: millis(offset, &self.times, true)? })
    }

    fn subquery(&mut self, subquery: &ast::Subquery) -> Result<Op, QueryError> {
        let reference = self.reference(&subquery.offset, subquery.at)?;
        let range = millis(&subquery.range, &self.times, false)?;
        let step = if subquery.step.is_zero() {
            self.times.subquery_step
        } else {
            millis(&subquery.step, &self.times, false)?
        };
        let inner = self.under(Interest::Whole, |builder| builder.child(&subquery.expr, true))?;
        Ok(Op::Subquery(inner, step.max(1), Window { reference, range, ends: Ends::Plain, summary: false }))
    }

    fn call(&mut self, call: &ast::Call, hoist: bool) -> Result<Op, QueryError> {
        let name = call.function.name;
        let number = match name {
            "pi" => Some(std::f64::consts::PI),
            "start" => Some(self.times.start as f64 / 1000.0),
            "end" => Some(self.times.end as f64 / 1000.0),
            "step" => Some(self.times.step_seconds()),
            "range" => Some(self.times.range_seconds()),
            _ => None,
        };
        if let Some(number) = number {
            return Ok(Op::Number(number));
        }
        let unknown = || QueryError::Execution(format!("unknown function with name {name:?}"));
        let function = Function::named(name).ok_or_else(unknown)?;
        let interest = match name {
            "histogram_count" | "histogram_sum" | "histogram_avg" => Interest::Summary,
            "histogram_quantile" | "histogram_fraction" => Interest::Whole,
            _ => Interest::Same,
        };
        let args = self.under(interest, |builder| {
            call.args.iter().map(|arg| builder.child(arg, hoist)).collect::<Result<Vec<_>, _>>()
        })?;
        for arg in &args {
            if let Some(Op::Range(_, window)) = self.nodes.get(arg.index()).map(|node| &node.op) {
                check_ends(function, name, window.ends)?;
            }
        }
        Ok(Op::Call(function, args))
    }
}

/// Windows that reach beyond their ends suit only functions that know of it.
fn check_ends(function: Function, name: &str, ends: Ends) -> Result<(), QueryError> {
    let change = matches!(
        function,
        Function::OverTime(OverTime::Change(Change::Rate | Change::Increase | Change::Delta))
    );
    let counts = matches!(function, Function::OverTime(OverTime::Changes | OverTime::Resets));
    let (modifier, allowed) = match ends {
        Ends::Anchored if !change && !counts => ("anchored", "changes, delta, increase, rate, resets"),
        Ends::Smoothed if !change => ("smoothed", "delta, increase, rate"),
        _ => return Ok(()),
    };
    Err(QueryError::Execution(format!(
        "{modifier} modifier can only be used with: {allowed} - not with {name}"
    )))
}
