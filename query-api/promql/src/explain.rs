//! Room card: a plan told to a person: what is done, in which order, and, after evaluation, how much of it. Knows plans; must not
//! know samples. Start at [`Explanation`].

use std::fmt::{self, Write};

use crate::ast::{Ends, Span};
use crate::kernels::windows::Reference;
use crate::labels::Matcher;
use crate::number::format_millis;
use crate::plan::{NodeId, Op, Plan};
use crate::statistics::Work;

/// One step of the evaluation, and those whose results it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is done.
    pub text: String,
    /// Where it stands in the query.
    pub span: Span,
    /// Whether the result of an equal part is taken instead.
    pub reused: bool,
    /// What it did; zero before evaluation.
    pub work: Work,
    /// Whose results it takes.
    pub children: Vec<Self>,
}

impl Explanation {
    /// What `plan` will do.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self::node(plan, plan.root(), &[])
    }

    pub(crate) fn with_work(plan: &Plan, work: &[Work]) -> Self {
        Self::node(plan, plan.root(), work)
    }

    fn node(plan: &Plan, id: NodeId, work: &[Work]) -> Self {
        let node = plan.node(id);
        let reused = node.twin.is_some();
        let children = if reused { Vec::new() } else { plan.children(id) };
        Self {
            text: describe(&node.op),
            span: node.span,
            reused,
            work: work.get(id.index()).copied().unwrap_or_default(),
            children: children.into_iter().map(|child| Self::node(plan, child, work)).collect(),
        }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(out, "{:indent$}{}", "", self.text, indent = depth * 2)?;
        if self.reused {
            out.write_str(" (computed once, above)")?;
        }
        let Work { series, samples, rows } = self.work;
        if series > 0 {
            write!(out, " [{series} series, {samples} samples read]")?;
        }
        if rows > 0 {
            write!(out, " [{rows} rows]")?;
        }
        out.write_char('\n')?;
        self.children.iter().try_for_each(|child| child.write(out, depth + 1))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(out, 0)
    }
}

fn describe(op: &Op) -> String {
    match op {
        Op::Number(number) => format!("number {}", crate::number::general(*number)),
        Op::Text(text) => format!("text {}", crate::quote::quoted(text)),
        Op::Select(select) => {
            format!("select {}{}{}", list(&select.matchers), place(select.reference), ends(select.ends))
        }
        Op::Range(matchers, window) => {
            let range = format_millis(window.range);
            format!("select {}[{range}]{}{}", list(matchers), place(window.reference), ends(window.ends))
        }
        Op::Subquery(_, step, window) => {
            let (range, step) = (format_millis(window.range), format_millis(*step));
            format!("subquery [{range}:{step}]{}", place(window.reference))
        }
        Op::Call(function, _) => format!("call {function:?}"),
        Op::Aggregate(a) if a.labels.is_empty() && !a.without => format!("aggregate {}", a.op.name()),
        Op::Aggregate(a) => {
            let word = if a.without { "without" } else { "by" };
            format!("aggregate {} {word} ({})", a.op.name(), a.labels.join(", "))
        }
        Op::Binary(b) => {
            let (on, labels) = (b.matching.on, b.matching.labels.join(", "));
            let word = if on { "on" } else { "ignoring" };
            let how = if on || !labels.is_empty() { format!(" {word} ({labels})") } else { String::new() };
            format!("binary {}{how} {}", b.op.symbol(), b.matching.cardinality.name())
        }
        Op::Negate(_) => "negate".to_owned(),
        Op::Hoist(_) => "once for all steps".to_owned(),
    }
}

fn list(matchers: &[Matcher]) -> String {
    let all: Vec<_> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", all.join(", "))
}

fn place(reference: Reference) -> String {
    let at = reference.at.map_or_else(String::new, |at| format!(" @ {}", at as f64 / 1000.0));
    match reference.offset {
        0 => at,
        offset if offset < 0 => format!("{at} offset -{}", format_millis(offset.saturating_neg())),
        offset => format!("{at} offset {}", format_millis(offset)),
    }
}

fn ends(ends: Ends) -> &'static str {
    match ends {
        Ends::Plain => "",
        Ends::Anchored => " anchored",
        Ends::Smoothed => " smoothed",
    }
}
