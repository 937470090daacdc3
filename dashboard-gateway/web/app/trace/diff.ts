// Two traces as one tree: nodes of the merged call trees of A and B matched by their way from the root, and the sentence
// that adds up to the difference.

import type { CallNode } from "./call-tree.ts";

/** What one side knows of a node. */
export interface Side {
  readonly calls: number;
  readonly errors: number;
  readonly total: number;
  readonly critical: number;
  /** First span of it in its trace. */
  readonly row: number | null;
}

export interface DiffNode {
  readonly service: string;
  readonly operation: string;
  readonly depth: number;
  readonly parent: DiffNode | null;
  readonly children: DiffNode[];
  readonly a: Side;
  readonly b: Side;
}

const ABSENT: Side = { calls: 0, errors: 0, total: 0, critical: 0, row: null };

/** Numbers in names are left out for matching: `case 07` in A is `case 08` in B. */
function keyOf(node: CallNode): string {
  return `${node.service}\u0000${node.operation.replace(/\d+|…/g, "#")}`;
}

/** Nodes of the merged tree, each before its children, depth first; B's order, what only A has after it. */
export function diffTrees(a: readonly CallNode[], b: readonly CallNode[]): DiffNode[] {
  const out: DiffNode[] = [];
  interface Task {
    readonly a: readonly CallNode[];
    readonly b: readonly CallNode[];
    readonly parent: DiffNode | null;
  }
  const stack: Task[] = [{ a, b, parent: null }];
  const tasksOf = new Map<DiffNode, Task>();
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    if (task.parent !== null) out.push(task.parent);
    const next: Task[] = [];
    for (const [left, right] of matched(task.a, task.b)) {
      const node = join(left, right, task.parent);
      task.parent?.children.push(node);
      const below = { a: left.flatMap((n) => n.children), b: right.flatMap((n) => n.children), parent: node };
      tasksOf.set(node, below);
      next.push(below);
    }
    for (let i = next.length - 1; i >= 0; i--) stack.push(next[i] as Task);
  }
  return out;
}

function matched(a: readonly CallNode[], b: readonly CallNode[]): Iterable<[CallNode[], CallNode[]]> {
  const pairs = new Map<string, [CallNode[], CallNode[]]>();
  const add = (node: CallNode, side: 0 | 1) => {
    const key = keyOf(node);
    const pair = pairs.get(key) ?? [[], []];
    pair[side].push(node);
    pairs.set(key, pair);
  };
  for (const node of b) add(node, 1);
  for (const node of a) add(node, 0);
  return pairs.values();
}

function join(a: readonly CallNode[], b: readonly CallNode[], parent: DiffNode | null): DiffNode {
  const named = [...b, ...a];
  const head = named[0] as CallNode;
  const same = named.every((node) => node.operation === head.operation);
  return {
    service: head.service,
    operation: same ? head.operation : head.operation.replace(/\d+/g, "…"),
    depth: parent === null ? 0 : parent.depth + 1,
    parent,
    children: [],
    a: sideOf(a),
    b: sideOf(b),
  };
}

function sideOf(nodes: readonly CallNode[]): Side {
  if (nodes.length === 0) return ABSENT;
  const sum = (of: (node: CallNode) => number) => nodes.reduce((total, node) => total + of(node), 0);
  return {
    calls: sum((node) => node.count),
    errors: sum((node) => node.errors),
    total: sum((node) => node.total),
    critical: sum((node) => node.critical),
    row: nodes[0]?.row ?? null,
  };
}

export type Verdict = "added" | "removed" | "more" | "less" | "same";

/** A change counts from 10 % and 3 permille of the longer trace on: below that it is noise. */
export function verdict(node: DiffNode, noiseNano: number): Verdict {
  if (node.a.calls === 0) return "added";
  if (node.b.calls === 0) return "removed";
  const change = node.b.total - node.a.total;
  const weighs = Math.abs(change) > Math.max(noiseNano, node.a.total * 0.1);
  if (weighs) return change > 0 ? "more" : "less";
  if (node.b.errors !== node.a.errors) return node.b.errors > node.a.errors ? "more" : "less";
  if (node.b.calls !== node.a.calls) return node.b.calls > node.a.calls ? "more" : "less";
  return "same";
}

export function noiseOf(durationA: number, durationB: number): number {
  return Math.max(durationA, durationB) * 0.003;
}

/** One term of the sentence: by how much the time that the traces waited for an operation differs. */
export interface Term {
  readonly service: string;
  readonly operation: string;
  readonly change: number;
  readonly note: string;
  /** Of a sum of operations: the largest single change. */
  readonly largest: number | null;
  readonly operations: number;
  readonly node: DiffNode | null;
}

const TERMS_MAX = 4;

/**
 * The difference of the durations, by cause: change of time on the critical path per operation. The largest stand alone,
 * the rest in two sums (slower, faster), and what ran outside any span in one, so that the terms add up exactly.
 */
export function explain(nodes: readonly DiffNode[], durationA: number, durationB: number): Term[] {
  const total = durationB - durationA;
  const sums = new Map<string, Mutable>();
  for (const node of nodes) {
    const key = `${node.service}\u0000${node.operation}`;
    const sum = sums.get(key) ?? { change: 0, callsA: 0, callsB: 0, errorsA: 0, errorsB: 0, node };
    sum.change += node.b.critical - node.a.critical;
    sum.callsA += node.a.calls;
    sum.callsB += node.b.calls;
    sum.errorsA += node.a.errors;
    sum.errorsB += node.b.errors;
    if (Math.abs(node.b.critical - node.a.critical) > Math.abs(sum.node.b.critical - sum.node.a.critical))
      sum.node = node;
    sums.set(key, sum);
  }
  const changed = [...sums.values()]
    .filter((sum) => Math.abs(sum.change) >= 1)
    .sort((x, y) => Math.abs(y.change) - Math.abs(x.change));
  const floor = Math.abs(total) * 0.02;
  const alone = changed.slice(0, TERMS_MAX).filter((sum, index) => index === 0 || Math.abs(sum.change) >= floor);
  const rest = changed.slice(alone.length);
  const terms = alone.map(
    (sum): Term => ({
      service: sum.node.service,
      operation: sum.node.operation,
      change: sum.change,
      note: noteOf(sum),
      largest: null,
      operations: 1,
      node: sum.node,
    }),
  );
  for (const [part, word] of [
    [rest.filter((sum) => sum.change > 0), "slower"],
    [rest.filter((sum) => sum.change < 0), "faster"],
  ] as const) {
    if (part.length > 0) terms.push(together(part, word));
  }
  const told = terms.reduce((sum, term) => sum + term.change, 0);
  if (Math.abs(total - told) >= 1000) {
    terms.push({
      service: "",
      operation: "outside any span",
      change: total - told,
      note: "nothing was recorded",
      largest: null,
      operations: 0,
      node: null,
    });
  }
  return terms;
}

interface Mutable {
  change: number;
  callsA: number;
  callsB: number;
  errorsA: number;
  errorsB: number;
  node: DiffNode;
}

function together(part: readonly Mutable[], word: string): Term {
  const change = part.reduce((sum, one) => sum + one.change, 0);
  return {
    service: "",
    operation: `${part.length} other ${part.length === 1 ? "operation" : "operations"} ${word}`,
    change,
    note: "",
    largest: Math.max(...part.map((one) => Math.abs(one.change))),
    operations: part.length,
    node: null,
  };
}

function noteOf(sum: Mutable): string {
  const notes: string[] = [];
  if (sum.callsA === 0) notes.push("only in B");
  else if (sum.callsB === 0) notes.push("only in A");
  else if (sum.callsA !== sum.callsB)
    notes.push(`${sum.callsB} ${sum.callsB === 1 ? "call" : "calls"}, was ${sum.callsA}`);
  if (sum.errorsB > sum.errorsA) notes.push(`${sum.errorsB} failed`);
  if (sum.errorsA > 0 && sum.errorsB === 0) notes.push("failed in A");
  return notes.join(", ");
}
