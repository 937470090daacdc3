// The graph of operations: nodes of the merged call tree, laid out from left to right, one column per depth. Small places
// are left out first, so that what is drawn can be read.

import { type CallNode, flatten } from "./call-tree.ts";

export interface GraphNode {
  readonly node: CallNode;
  readonly column: number;
  /** In rows; parents stand level with their first child, so that the root is where reading begins. */
  readonly line: number;
}

export interface OperationGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly (readonly [GraphNode, GraphNode])[];
  readonly lines: number;
  readonly columns: number;
  /** Nodes that were left out. */
  readonly hidden: number;
}

export function operationGraph(roots: readonly CallNode[], most: number): OperationGraph {
  const all = flatten(roots);
  const kept = new Set(all);
  if (all.length > most) {
    kept.clear();
    const heavy = [...all].sort((a, b) => Number(b.errors > 0) - Number(a.errors > 0) || b.weight - a.weight);
    for (const node of heavy) {
      const way: CallNode[] = [];
      for (let at: CallNode | null = node; at !== null && !kept.has(at); at = at.parent) way.push(at);
      if (kept.size + way.length > most) break;
      for (const one of way) kept.add(one);
    }
  }
  const placed = new Map<CallNode, GraphNode>();
  const nodes: GraphNode[] = [];
  let lines = 0;
  // Children stand after their parents, so going back every node knows its children's lines.
  const order = all.filter((node) => kept.has(node));
  const leafLine = new Map<CallNode, number>();
  for (const node of order) {
    if (!node.children.some((child) => kept.has(child))) {
      leafLine.set(node, lines);
      lines += 1;
    }
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as CallNode;
    const below = node.children.find((child) => kept.has(child));
    const line = (below === undefined ? leafLine.get(node) : placed.get(below)?.line) ?? 0;
    const made = { node, column: node.depth, line };
    placed.set(node, made);
    nodes.push(made);
  }
  nodes.reverse();
  const edges = nodes.flatMap((node): [GraphNode, GraphNode][] => {
    const from = node.node.parent === null ? undefined : placed.get(node.node.parent);
    return from === undefined ? [] : [[from, node]];
  });
  const columns = nodes.reduce((max, node) => Math.max(max, node.column + 1), 0);
  return { nodes, edges, lines, columns, hidden: all.length - order.length };
}
