// The merged call tree: spans with the same way from the root (services, operations without their numbers) become one node.
// Flame graph, graph of operations and the comparison of two traces are all views of it.

import { patterns } from "./similar.ts";
import type { Measures } from "./statistics.ts";
import { isError, type Trace } from "./trace.ts";

export interface CallNode {
  readonly service: string;
  /** Numbers that differ among the spans are written as `…`. */
  operation: string;
  readonly depth: number;
  readonly parent: CallNode | null;
  readonly children: CallNode[];
  count: number;
  errors: number;
  /** Sum of durations. */
  total: number;
  self: number;
  critical: number;
  /** Own self time and that of everything below: additive, so it can be drawn as a width. */
  weight: number;
  /** The first span of it. */
  readonly row: number;
}

/** Top-level nodes of the merged tree, in order of first appearance. */
export function callTree(trace: Trace, measures: Measures): CallNode[] {
  const roots: CallNode[] = [];
  const nodeOf: CallNode[] = new Array(trace.count);
  const index = new Map<CallNode | null, Map<number, CallNode>>();
  const { parent, service, operation, duration } = trace.columns;
  const pattern = patterns(trace);
  for (let row = 0; row < trace.count; row++) {
    const above = nodeOf[parent[row] as number] ?? null;
    const key = (service[row] as number) * trace.operations.length + (pattern[operation[row] as number] as number);
    let siblings = index.get(above);
    if (siblings === undefined) {
      siblings = new Map();
      index.set(above, siblings);
    }
    let node = siblings.get(key);
    if (node === undefined) {
      node = fresh(trace, row, above);
      siblings.set(key, node);
      (above?.children ?? roots).push(node);
    }
    nodeOf[row] = node;
    const first = operation[node.row] as number;
    if (operation[row] !== first) node.operation = (trace.operations[first] ?? "").replace(/\d+/g, "…");
    node.count += 1;
    if (isError(trace, row)) node.errors += 1;
    node.total += duration[row] as number;
    node.self += measures.self[row] ?? 0;
    node.critical += measures.critical[row] ?? 0;
  }
  weigh(roots);
  return roots;
}

function fresh(trace: Trace, row: number, parent: CallNode | null): CallNode {
  return {
    service: trace.services[trace.columns.service[row] ?? 0] ?? "",
    operation: trace.operations[trace.columns.operation[row] ?? 0] ?? "",
    depth: parent === null ? 0 : parent.depth + 1,
    parent,
    children: [],
    count: 0,
    errors: 0,
    total: 0,
    self: 0,
    critical: 0,
    weight: 0,
    row,
  };
}

function weigh(roots: readonly CallNode[]): void {
  const order = flatten(roots);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as CallNode;
    node.weight += node.self;
    if (node.parent !== null) node.parent.weight += node.weight;
  }
}

/** All nodes, each before its children, depth first. */
export function flatten(roots: readonly CallNode[]): CallNode[] {
  const out: CallNode[] = [];
  const stack = [...roots].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    out.push(node);
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i] as CallNode);
  }
  return out;
}
