// What the map says about an edge and a node: numbers of one answer turned into words, widths and states.
import type { Graph, GraphEdge, GraphNode } from "../../api/wire.ts";
import { duration, NONE, percent } from "../../design/format.ts";

/** An edge with more than this share of errors is broken. */
export const ERRORS_OVER = 0.01;
/** An edge whose p95 is over this factor of the compared range is slow. */
export const SLOWER_OVER = 1.5;
/** Over this many nodes only broken, slow and focused edges carry numbers. */
export const LABELS_UP_TO = 60;

export type EdgeState = "broken" | "slow" | "usual";

export interface Edge {
  readonly key: string;
  readonly caller: string;
  readonly callee: string;
  readonly perSecond: number;
  readonly errorShare: number;
  readonly p50Nano: number | null;
  readonly p95Nano: number | null;
  readonly thenP95Nano: number | null;
  readonly state: EdgeState;
  readonly slow: boolean;
  /** Rate, errors, p95. */
  readonly labels: readonly [string, string, string];
}

export interface Node {
  readonly name: string;
  readonly kind: GraphNode["kind"];
  readonly perSecond: number;
  readonly called: boolean;
  readonly state: EdgeState;
}

export interface Model {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

export function modelOf(graph: Graph, seconds: number): Model {
  const edges = graph.edges.map((edge) => edgeOf(edge, seconds));
  const worst = new Map<string, EdgeState>();
  for (const edge of edges) {
    if (edge.state === "usual" || worst.get(edge.callee) === "broken") continue;
    worst.set(edge.callee, edge.state);
  }
  const called = new Set(edges.filter((edge) => edge.caller !== edge.callee).map((edge) => edge.callee));
  const nodes = graph.nodes.map((node) => ({
    name: node.service,
    kind: node.kind,
    perSecond: node.calls / seconds,
    called: called.has(node.service),
    state: node.calls > 0 && node.errors / node.calls > ERRORS_OVER ? "broken" : (worst.get(node.service) ?? "usual"),
  }));
  return { nodes, edges };
}

function edgeOf(edge: GraphEdge, seconds: number): Edge {
  const errorShare = edge.calls > 0 ? edge.errors / edge.calls : 0;
  const then = edge.then?.p95Nano ?? null;
  const slow = edge.p95Nano !== null && then !== null && then > 0 && edge.p95Nano / then > SLOWER_OVER;
  const perSecond = edge.calls / seconds;
  return {
    key: `${edge.caller}\0${edge.callee}`,
    caller: edge.caller,
    callee: edge.callee,
    perSecond,
    errorShare,
    p50Nano: edge.p50Nano,
    p95Nano: edge.p95Nano,
    thenP95Nano: then,
    state: errorShare > ERRORS_OVER ? "broken" : slow ? "slow" : "usual",
    slow,
    labels: [
      bare(perSecond),
      errorShare === 0 ? "0" : percent(errorShare),
      edge.p95Nano === null ? NONE : duration(edge.p95Nano),
    ],
  };
}

/** A rate on a line: the unit stands in the key above the map. */
function bare(perSecond: number): string {
  if (perSecond >= 1000) return Math.round(perSecond).toString();
  if (perSecond >= 99.5) return perSecond.toFixed(0);
  if (perSecond >= 0.095) return perSecond.toFixed(1);
  return perSecond === 0 ? "0" : perSecond.toPrecision(1);
}

/** Line width by the logarithm of the rate. */
export function widthOf(perSecond: number): number {
  return Math.min(7, 1 + 1.4 * Math.log10(1 + Math.max(0, perSecond)));
}
