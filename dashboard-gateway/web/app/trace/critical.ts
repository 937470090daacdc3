// Self time and the critical path. Both are single passes over columns; nothing recurses, so depth has no limit.

import { type Columns, durationOf, type Trace } from "./trace.ts";

/** Time in which a span runs and none of its children does, per row. */
export function selfTimes(trace: Trace): Float64Array {
  const { parent, start, duration } = trace.columns;
  const self = Float64Array.from(duration);
  // Until when the children seen so far cover their parent; siblings come by start, so this only grows.
  const covered = new Float64Array(trace.count);
  for (let row = 0; row < trace.count; row++) {
    const begin = start[row] as number;
    covered[row] = begin;
    const above = parent[row] as number;
    if (above >= trace.count) continue;
    const from = Math.max(begin, covered[above] as number);
    const to = Math.min(begin + (duration[row] as number), (start[above] as number) + (duration[above] as number));
    if (to > from) {
      self[above] = Math.max(0, (self[above] as number) - (to - from));
      covered[above] = to;
    }
  }
  return self;
}

/** The path in pieces, by time: in [from, to) the trace waited for `row` itself. */
export interface CriticalPath {
  readonly row: Uint32Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** Time on the path per row of the trace. */
  readonly perRow: Float64Array;
  /** Pieces of row r, by time: byRow[first[r]] … byRow[first[r + 1] - 1]. Subtrees are contiguous, so are their pieces. */
  readonly first: Uint32Array;
  readonly byRow: Uint32Array;
}

/** Numbers that grow at the end: typed, so that a million of them stay small. */
class Tape<T extends Uint32Array | Float64Array> {
  private held: T;
  length = 0;

  constructor(empty: T) {
    this.held = empty;
  }

  push(value: number): void {
    if (this.length === this.held.length) {
      const wider = new (this.held.constructor as new (length: number) => T)(Math.max(1024, this.length * 2));
      wider.set(this.held);
      this.held = wider;
    }
    this.held[this.length] = value;
    this.length += 1;
  }

  at(index: number): number {
    return this.held[index] as number;
  }

  /** All of it, last first. */
  reversed(): T {
    return this.held.slice(0, this.length).reverse() as T;
  }
}

/** A span whose children are being gone through; its children lie on the tapes `kids` and `latest` from `base` on. */
interface Frame {
  readonly row: number;
  readonly begin: number;
  /** Everything from here on is explained already. */
  at: number;
  readonly base: number;
  /** Children with an index above start at or after `at`. */
  last: number;
}

/**
 * Walks back from the end: what a span waited for is the child that ended last before the point reached, as long as it ran;
 * between children it is the span itself. Children are clipped to their parent, overlapping ones to what is not explained yet,
 * so that the pieces add up to the duration of the trace (less the time in which nothing ran).
 */
export function criticalPath(trace: Trace): CriticalPath {
  const walk = new Walk(trace);
  walk.open(-1, 0, trace.count - 1, 0, trace.durationNano);
  walk.run();
  const row = walk.rows.reversed();
  return {
    row,
    from: walk.froms.reversed(),
    to: walk.tos.reversed(),
    perRow: walk.perRow,
    ...indexed(row, trace.count),
  };
}

/** A counting sort of the pieces by row. */
function indexed(row: Uint32Array, count: number): { first: Uint32Array; byRow: Uint32Array } {
  const first = new Uint32Array(count + 1);
  for (const one of row) first[one + 1] = (first[one + 1] as number) + 1;
  for (let i = 0; i < count; i++) first[i + 1] = (first[i + 1] as number) + (first[i] as number);
  const next = first.slice();
  const byRow = new Uint32Array(row.length);
  row.forEach((one, piece) => {
    const at = next[one] as number;
    byRow[at] = piece;
    next[one] = at + 1;
  });
  return { first, byRow };
}

class Walk {
  readonly rows = new Tape(new Uint32Array());
  readonly froms = new Tape(new Float64Array());
  readonly tos = new Tape(new Float64Array());
  readonly perRow: Float64Array;
  private readonly columns: Columns;
  private readonly stack: Frame[] = [];
  private readonly kids = new Tape(new Uint32Array());
  /** For each child the one that ends last among it and those before. */
  private readonly latest = new Tape(new Uint32Array());

  constructor(trace: Trace) {
    this.columns = trace.columns;
    this.perRow = new Float64Array(trace.count);
  }

  private endOf(row: number): number {
    return (this.columns.start[row] as number) + (this.columns.duration[row] as number);
  }

  private piece(row: number, from: number, to: number): void {
    if (row < 0 || to <= from) return;
    this.rows.push(row);
    this.froms.push(from);
    this.tos.push(to);
    this.perRow[row] = (this.perRow[row] as number) + (to - from);
  }

  /** Begins with a span: its children are the tops of the subtrees in rows first … last. */
  open(row: number, first: number, last: number, begin: number, at: number): void {
    const base = this.kids.length;
    let best = -1;
    let bestEnd = Number.NEGATIVE_INFINITY;
    for (let kid = first; kid <= last; kid += (this.columns.descendants[kid] as number) + 1) {
      const end = this.endOf(kid);
      if (end >= bestEnd) {
        best = kid;
        bestEnd = end;
      }
      this.kids.push(kid);
      this.latest.push(best);
    }
    this.stack.push({ row, begin, at, base, last: this.kids.length - 1 });
  }

  private close(frame: Frame): void {
    this.stack.pop();
    this.kids.length = frame.base;
    this.latest.length = frame.base;
  }

  run(): void {
    const { start, descendants } = this.columns;
    for (let top = this.stack.at(-1); top !== undefined; top = this.stack.at(-1)) {
      while (top.last >= top.base && (start[this.kids.at(top.last)] as number) >= top.at) top.last -= 1;
      const child = top.last >= top.base ? this.latest.at(top.last) : -1;
      const until = child >= 0 ? Math.min(this.endOf(child), top.at) : top.begin;
      if (top.at <= top.begin || until <= top.begin) {
        this.piece(top.row, top.begin, top.at);
        this.close(top);
        continue;
      }
      this.piece(top.row, until, top.at);
      const begin = Math.max(top.begin, start[child] as number);
      // A child that does not move the point back (unsorted input) is passed over, so the walk always ends.
      if (begin < top.at) top.at = begin;
      else top.last -= 1;
      const below = descendants[child] as number;
      if (below === 0) this.piece(child, begin, until);
      else if (until > begin) this.open(child, child + 1, child + below, begin, until);
    }
  }
}

/** Rows of the children of a row, by start. */
export function kidsOf(trace: Trace, row: number): number[] {
  const out: number[] = [];
  const last = row + (trace.columns.descendants[row] ?? 0);
  for (let at = row + 1; at <= last; at += (trace.columns.descendants[at] ?? 0) + 1) out.push(at);
  return out;
}

/** The share of a row in the critical path, 0 … 1. */
export function criticalShare(trace: Trace, path: CriticalPath, row: number): number {
  return trace.durationNano > 0 ? (path.perRow[row] ?? 0) / trace.durationNano : durationOf(trace, row) === 0 ? 0 : 1;
}
