//! Finds parts that occur twice, by numbering values: two nodes get the same number when they do the same to equal children in the
//! same surroundings.
//!
//! Surroundings are the grid on which a node is evaluated: the query's, a subquery's, or the single step of a hoisted part.

use std::collections::HashMap;

use super::{Node, NodeId, Op};
use crate::ast::ValueType;

struct Finder<'a> {
    nodes: &'a mut [Node],
    /// Value number of each distinct thing, by its description.
    numbers: HashMap<String, usize>,
    /// The first node of each value number.
    firsts: HashMap<usize, NodeId>,
    grids: usize,
    hoisted: HashMap<usize, usize>,
}

/// Marks twins in `nodes`, which must be in the order parent, children from left to right.
pub(super) fn find(nodes: &mut [Node]) {
    if nodes.is_empty() {
        return;
    }
    let mut finder =
        Finder { nodes, numbers: HashMap::new(), firsts: HashMap::new(), grids: 1, hoisted: HashMap::new() };
    finder.visit(NodeId(0), 0);
    finder.forget_inner();
}

impl Finder<'_> {
    /// The value number of a node evaluated on a grid.
    fn visit(&mut self, id: NodeId, grid: usize) -> usize {
        let Some(op) = self.nodes.get(id.index()).map(|node| node.op.clone()) else { return usize::MAX };
        let text = match op {
            Op::Number(number) => format!("{:x}", number.to_bits()),
            Op::Text(text) => format!("{text:?}"),
            Op::Select(select) => format!("{:?}", select),
            Op::Range(matchers, window) => format!("{matchers:?}{window:?}"),
            Op::Subquery(inner, step, window) => {
                let inner_grid = self.inner_grid(grid, &format!("{step} {window:?}"));
                format!("subquery {}", self.visit(inner, inner_grid))
            }
            Op::Call(function, args) => format!("{function:?}{:?}", self.all(&args, grid)),
            Op::Aggregate(a) => {
                let children: Vec<_> = a.param.into_iter().chain([a.input]).collect();
                format!("{:?}{:?}{}{:?}", a.op, a.labels, a.without, self.all(&children, grid))
            }
            Op::Binary(b) => {
                let children = self.all(&[b.lhs, b.rhs], grid);
                format!("{:?}{:?}{}{children:?}", b.op, b.matching, b.return_bool)
            }
            Op::Negate(inner) => format!("-{}", self.visit(inner, grid)),
            Op::Hoist(inner) => {
                let next = self.grids;
                let hoisted = *self.hoisted.entry(grid).or_insert(next);
                self.grids = self.grids.max(hoisted + 1);
                format!("hoist {}", self.visit(inner, hoisted))
            }
        };
        let next = self.numbers.len();
        let number = *self.numbers.entry(format!("{grid}:{text}")).or_insert(next);
        self.mark(id, number);
        number
    }

    fn all(&mut self, ids: &[NodeId], grid: usize) -> Vec<usize> {
        ids.iter().map(|&id| self.visit(id, grid)).collect()
    }

    fn inner_grid(&mut self, grid: usize, shape: &str) -> usize {
        let next = self.numbers.len();
        let number = *self.numbers.entry(format!("grid {grid} {shape}")).or_insert(next);
        // the numbers of grids and of values are drawn from one map, so that equal subqueries have equal grids
        usize::MAX - 1 - number
    }

    fn mark(&mut self, id: NodeId, number: usize) {
        let first = *self.firsts.entry(number).or_insert(id);
        if let Some(node) = self.nodes.get_mut(id.index())
            && first != id
            && node.value_type == ValueType::Vector
        {
            node.twin = Some(first);
        }
    }

    /// Keeps only the outermost twins, and tells the nodes that they are twins of.
    fn forget_inner(&mut self) {
        let mut id = 0;
        while id < self.nodes.len() {
            let twin = self.nodes.get(id).and_then(|node| node.twin);
            let Some(twin) = twin else {
                id += 1;
                continue;
            };
            if let Some(first) = self.nodes.get_mut(twin.index()) {
                first.shared = true;
            }
            let end = self.subtree_end(id);
            for node in self.nodes.iter_mut().take(end).skip(id + 1) {
                node.twin = None;
            }
            id = end;
        }
    }

    /// The number after the last node of the part that starts at `id`.
    fn subtree_end(&self, id: usize) -> usize {
        let last_child = match self.nodes.get(id).map(|node| &node.op) {
            Some(Op::Subquery(inner, ..) | Op::Negate(inner) | Op::Hoist(inner)) => Some(*inner),
            Some(Op::Call(_, args)) => args.last().copied(),
            Some(Op::Aggregate(a)) => Some(a.input),
            Some(Op::Binary(b)) => Some(b.rhs),
            _ => None,
        };
        last_child.map_or(id + 1, |child| self.subtree_end(child.index()))
    }
}
