// A trace in columns: one row per span, in waterfall order (depth first, children by start), so that the descendants of row
// i are rows i+1 … i+descendants[i]. Knows the shape and small questions about a row; reading, deriving and drawing are elsewhere.

import { msOfNanos } from "../design/clock.ts";

/** `parent` of a root. */
export const NO_PARENT = 0xffffffff;
/** `parent` of a span whose parent is not in the trace. */
export const ORPHAN = 0xfffffffe;

const KIND_MASK = 0b111;
const FLAG_ERROR = 1 << 3;
const FLAG_EVENTS = 1 << 4;
const FLAG_LINKS = 1 << 5;
const FLAG_WARNINGS = 1 << 6;

export const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
export type Kind = (typeof KINDS)[number];

export interface Columns {
  readonly parent: Uint32Array;
  readonly depth: Uint16Array;
  /** Nanoseconds since the start of the trace. */
  readonly start: Float64Array;
  readonly duration: Float64Array;
  /** Index into `Trace.services`. */
  readonly service: Uint32Array;
  /** Index into `Trace.operations`. */
  readonly operation: Uint32Array;
  readonly flags: Uint8Array;
  /** Two words a row: the high and the low half of the id. */
  readonly spanId: Uint32Array;
  readonly descendants: Uint32Array;
  readonly children: Uint32Array;
}

/** What a cut trace says about itself: the limit, and how many spans there are. */
export interface Cut {
  readonly limit: number;
  readonly found: number;
}

export interface PartialAnswer {
  readonly partition: string;
  readonly reason: string;
}

export interface Trace {
  readonly traceId: string;
  readonly count: number;
  /** Nanoseconds since the epoch, as they came. */
  readonly start: string;
  readonly startMs: number;
  readonly durationNano: number;
  readonly services: readonly string[];
  readonly operations: readonly string[];
  readonly columns: Columns;
  /** Changes when the rows do; goes along with row numbers to the server. Empty for uploaded traces. */
  readonly version: string;
  /** How many rows have warnings. */
  readonly warnings: number;
  /** Warnings about the trace as a whole. */
  readonly traceWarnings: readonly string[];
  readonly cut: Cut | null;
  readonly partial: readonly PartialAnswer[];
}

export interface FlagParts {
  readonly kind: Kind;
  readonly error: boolean;
  readonly events: boolean;
  readonly links: boolean;
  readonly warnings: boolean;
}

export function packFlags(parts: FlagParts): number {
  return (
    Math.max(0, KINDS.indexOf(parts.kind)) |
    (parts.error ? FLAG_ERROR : 0) |
    (parts.events ? FLAG_EVENTS : 0) |
    (parts.links ? FLAG_LINKS : 0) |
    (parts.warnings ? FLAG_WARNINGS : 0)
  );
}

export function isError(trace: Trace, row: number): boolean {
  return ((trace.columns.flags[row] ?? 0) & FLAG_ERROR) !== 0;
}

export function hasWarnings(trace: Trace, row: number): boolean {
  return ((trace.columns.flags[row] ?? 0) & FLAG_WARNINGS) !== 0;
}

export function hasEvents(trace: Trace, row: number): boolean {
  return ((trace.columns.flags[row] ?? 0) & FLAG_EVENTS) !== 0;
}

export function hasLinks(trace: Trace, row: number): boolean {
  return ((trace.columns.flags[row] ?? 0) & FLAG_LINKS) !== 0;
}

export function kindOf(trace: Trace, row: number): Kind {
  return KINDS[(trace.columns.flags[row] ?? 0) & KIND_MASK] ?? "unspecified";
}

export function serviceOf(trace: Trace, row: number): string {
  return trace.services[trace.columns.service[row] ?? -1] ?? "";
}

export function operationOf(trace: Trace, row: number): string {
  return trace.operations[trace.columns.operation[row] ?? -1] ?? "";
}

/** The row of the parent; null for roots and orphans. */
export function parentOf(trace: Trace, row: number): number | null {
  const parent = trace.columns.parent[row] ?? NO_PARENT;
  return parent < ORPHAN ? parent : null;
}

export function isOrphan(trace: Trace, row: number): boolean {
  return trace.columns.parent[row] === ORPHAN;
}

export function startOf(trace: Trace, row: number): number {
  return trace.columns.start[row] ?? 0;
}

export function durationOf(trace: Trace, row: number): number {
  return trace.columns.duration[row] ?? 0;
}

export function endOf(trace: Trace, row: number): number {
  return startOf(trace, row) + durationOf(trace, row);
}

/** The moment at which a span starts, in milliseconds since the epoch. */
export function startMsOf(trace: Trace, row: number): number {
  return trace.startMs + startOf(trace, row) / 1e6;
}

/** 16 hex digits. */
export function spanIdOf(trace: Trace, row: number): string {
  const high = trace.columns.spanId[row * 2] ?? 0;
  const low = trace.columns.spanId[row * 2 + 1] ?? 0;
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}

/** The row of a span id; ids are unique only inside a trace, the first row wins. */
export function rowOfSpanId(trace: Trace, spanId: string): number | null {
  if (!/^[0-9a-f]{1,16}$/i.test(spanId)) return null;
  const padded = spanId.padStart(16, "0");
  const high = Number.parseInt(padded.slice(0, 8), 16);
  const low = Number.parseInt(padded.slice(8), 16);
  const { spanId: ids } = trace.columns;
  for (let row = 0; row < trace.count; row++) if (ids[row * 2 + 1] === low && ids[row * 2] === high) return row;
  return null;
}

/** Rows of all spans without a parent in the trace, by start. */
export function rootsOf(trace: Trace): number[] {
  const out: number[] = [];
  for (let row = 0; row < trace.count; row += (trace.columns.descendants[row] ?? 0) + 1) out.push(row);
  return out;
}

/** The row that names the trace: the first true root, else the first orphan. */
export function mainRoot(trace: Trace): number {
  for (const row of rootsOf(trace)) if (trace.columns.parent[row] === NO_PARENT) return row;
  return 0;
}

/** Rows of the ancestors of a row, nearest first. */
export function ancestorsOf(trace: Trace, row: number): number[] {
  const out: number[] = [];
  for (let at = parentOf(trace, row); at !== null; at = parentOf(trace, at)) out.push(at);
  return out;
}

export function depthMax(trace: Trace): number {
  let max = 0;
  for (const depth of trace.columns.depth) if (depth > max) max = depth;
  return max + (trace.count > 0 ? 1 : 0);
}

/** Head facts of a trace that come out of numbers already checked. */
export function traceTimes(start: string, end: string): { startMs: number; durationNano: number } {
  return { startMs: msOfNanos(start), durationNano: Math.max(0, Number(BigInt(end) - BigInt(start))) };
}
