//! Room card: an expression made ready for evaluation. Knows nodes, times and which parts do not change from step to step; must
//! not know samples. Start at [`Plan::build`].
//!
//! Building a plan resolves everything that can be resolved before the first sample is read: parentheses go; duration expressions,
//! `start()`, `end()`, `step()` and `range()` become numbers; offsets and `@` become a [`Reference`] that gives the instant to
//! look at for any step; parts that are the same at every step are put under a [`Op::Hoist`] and evaluated once; and parts that
//! occur twice are found ([`Node::twin`]) and evaluated once too.
//!
//! Nodes are numbered in the order parent, then children from left to right, so the nodes of a part are a run of numbers. A twin
//! needs no annotations of its own: they would have the words of the first ones, and nothing is said twice.

mod build;
mod durations;
mod invariant;
mod twins;

pub use build::Times;

use crate::ast::{Aggregation, BinaryOp, Ends, Matching, Span, ValueType};
use crate::functions::Function;
use crate::kernels::windows::{Grid, Reference};
use crate::labels::Matcher;

/// The number of a node in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An instant selector.
#[derive(Clone, Debug)]
pub struct Select {
    /// What must match.
    pub matchers: Vec<Matcher>,
    /// Where it looks.
    pub reference: Reference,
    /// How the step is met: `smoothed` interpolates.
    pub ends: Ends,
    /// Whether only count and sum of histograms are of interest.
    pub summary: bool,
}

/// The window of a range vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Where its right end is.
    pub reference: Reference,
    /// Its length in milliseconds.
    pub range: i64,
    /// How its ends are treated.
    pub ends: Ends,
    /// Whether only count and sum of histograms are of interest.
    pub summary: bool,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum Op {
    /// The same number at every step.
    Number(f64),
    /// A text.
    Text(String),
    /// An instant selector.
    Select(Select),
    /// A range selector: matchers and window.
    Range(Vec<Matcher>, Window),
    /// A subquery: its expression, the distance of its evaluations (milliseconds), and its window.
    Subquery(NodeId, i64, Window),
    /// A function and its arguments.
    Call(Function, Vec<NodeId>),
    /// An aggregation.
    Aggregate(Aggregate),
    /// A binary operation.
    Binary(Binary),
    /// The negation of a scalar or vector.
    Negate(NodeId),
    /// A part that is the same at every step.
    Hoist(NodeId),
}

/// An aggregation.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// Which one.
    pub op: Aggregation,
    /// Its parameter.
    pub param: Option<NodeId>,
    /// What is aggregated.
    pub input: NodeId,
    /// Labels to keep or to drop, sorted.
    pub labels: Vec<String>,
    /// Whether the labels are dropped.
    pub without: bool,
}

/// A binary operation.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Which one.
    pub op: BinaryOp,
    /// Left operand.
    pub lhs: NodeId,
    /// Right operand.
    pub rhs: NodeId,
    /// How vectors meet, if both operands are vectors.
    pub matching: Matching,
    /// Whether a comparison gives 0 or 1.
    pub return_bool: bool,
}

/// One node of a plan.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// Where it stands in the text.
    pub span: Span,
    /// What it evaluates to.
    pub value_type: ValueType,
    /// An earlier node that evaluates to the same.
    pub twin: Option<NodeId>,
    /// Whether a later node is this one's twin.
    pub shared: bool,
}

/// An expression made ready.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) nodes: Vec<Node>,
    /// The steps at which the root is evaluated.
    pub grid: Grid,
}

impl Plan {
    /// The root.
    #[must_use]
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// The node with a number.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "node ids are made by the plan that they index")]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// All nodes, parents first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node's children from left to right.
    #[must_use]
    pub fn children(&self, id: NodeId) -> Vec<NodeId> {
        match &self.node(id).op {
            Op::Number(_) | Op::Text(_) | Op::Select(_) | Op::Range(..) => Vec::new(),
            Op::Subquery(inner, ..) | Op::Negate(inner) | Op::Hoist(inner) => vec![*inner],
            Op::Call(_, args) => args.clone(),
            Op::Aggregate(a) => a.param.into_iter().chain([a.input]).collect(),
            Op::Binary(b) => vec![b.lhs, b.rhs],
        }
    }
}
