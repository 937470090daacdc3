// The index of visible rows: what of the tree is on screen after folding, grouping, the service filter and the error path.
// Built anew on each change (a linear pass, 1 M spans ≈ 20 ms), read by position while scrolling.

import { type Groups, membersOf, NO_GROUP } from "./similar.ts";
import type { Trace } from "./trace.ts";

export interface Shape {
  /** Rows whose descendants are folded away. */
  readonly folded: ReadonlySet<number>;
  /** Group similar siblings at all. */
  readonly grouped: boolean;
  /** Groups that are open. */
  readonly open: ReadonlySet<number>;
  /** Indices of the services that are shown; null for all. */
  readonly services: ReadonlySet<number> | null;
  /** Only these rows (1) are shown; null for all. */
  readonly only: Uint8Array | null;
}

export interface VisibleRows {
  readonly count: number;
  /** Row of the trace at a position; for a group its first member. */
  readonly span: Uint32Array;
  /** Group that stands at a position, NO_GROUP for a span. */
  readonly group: Int32Array;
  /** Depth among the visible rows. */
  readonly depth: Uint16Array;
  /** Position of a row of the trace, or of the fold or group that hides it; −1 when the filter took it away. */
  readonly position: Int32Array;
}

const DEPTH_MAX = 0xffff;

interface Range {
  at: number;
  readonly last: number;
  /** Members of an open group that are still to come after this range. */
  readonly rest: Uint32Array | null;
  next: number;
  readonly group: number;
}

export function visibleRows(trace: Trace, groups: Groups, shape: Shape): VisibleRows {
  const builder = new Builder(trace, groups, shape);
  builder.walk();
  return builder.finish();
}

class Builder {
  private readonly span: Uint32Array;
  private readonly group: Int32Array;
  private readonly depth: Uint16Array;
  private readonly position: Int32Array;
  private count = 0;
  /** Depth that the children of a row get. */
  private readonly below: Uint16Array;

  private readonly trace: Trace;
  private readonly groups: Groups;
  private readonly shape: Shape;

  constructor(trace: Trace, groups: Groups, shape: Shape) {
    this.trace = trace;
    this.groups = groups;
    this.shape = shape;
    // A group has a row of its own beside its members.
    const size = trace.count + (shape.grouped ? groups.count : 0);
    this.span = new Uint32Array(size);
    this.group = new Int32Array(size);
    this.depth = new Uint16Array(size);
    this.position = new Int32Array(trace.count).fill(-1);
    this.below = new Uint16Array(trace.count);
  }

  walk(): void {
    const stack: Range[] = [{ at: 0, last: this.trace.count - 1, rest: null, next: 0, group: NO_GROUP }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.at > top.last) {
        const member = top.rest?.[top.next];
        if (top.rest === null || member === undefined) {
          stack.pop();
          continue;
        }
        const next = { at: member, last: this.lastOf(member), rest: top.rest, next: top.next + 1, group: top.group };
        stack[stack.length - 1] = next;
        continue;
      }
      const opened = this.step(top);
      if (opened !== null) stack.push(opened);
    }
  }

  private lastOf(row: number): number {
    return row + (this.trace.columns.descendants[row] ?? 0);
  }

  /** Takes one row of a range; answers the range of an open group that has to be walked first. */
  private step(range: Range): Range | null {
    const row = range.at;
    const group = this.shape.grouped && this.shape.only === null ? (this.groups.of[row] as number) : NO_GROUP;
    if (group !== NO_GROUP && group !== range.group) return this.stepGroup(range, row, group);
    range.at = row + 1;
    const depth = this.depthOf(row);
    this.below[row] = depth;
    if (!this.shown(row)) return null;
    this.put(row, NO_GROUP, depth);
    this.below[row] = Math.min(DEPTH_MAX, depth + 1);
    if (this.shape.folded.has(row)) {
      this.hide(row + 1, this.lastOf(row), this.count - 1);
      range.at = this.lastOf(row) + 1;
    }
    return null;
  }

  private stepGroup(range: Range, row: number, group: number): Range | null {
    const members = membersOf(this.groups, group);
    const last = this.lastOf(row);
    range.at = last + 1;
    if (members[0] !== row) return null;
    if (!this.shown(row)) {
      // The filter took the members; their descendants may still be shown, so the group is walked as if it were open.
      return { at: row, last, rest: members, next: 1, group };
    }
    this.put(row, group, this.depthOf(row));
    if (this.shape.open.has(group)) return { at: row, last, rest: members, next: 1, group };
    for (const member of members) this.hide(member, this.lastOf(member), this.count - 1);
    return null;
  }

  private shown(row: number): boolean {
    const { services, only } = this.shape;
    if (only !== null && only[row] !== 1) return false;
    return services === null || services.has(this.trace.columns.service[row] as number);
  }

  private depthOf(row: number): number {
    return this.below[this.trace.columns.parent[row] as number] ?? 0;
  }

  private put(row: number, group: number, depth: number): void {
    this.span[this.count] = row;
    this.group[this.count] = group;
    this.depth[this.count] = depth;
    this.position[row] = this.count;
    this.count += 1;
  }

  private hide(from: number, to: number, position: number): void {
    this.position.fill(position, from, to + 1);
  }

  finish(): VisibleRows {
    return {
      count: this.count,
      span: this.span.subarray(0, this.count),
      group: this.group.subarray(0, this.count),
      depth: this.depth.subarray(0, this.count),
      position: this.position,
    };
  }
}

/** Rows with an error and what leads to them: what a phone shows first. */
export function errorPath(trace: Trace): Uint8Array {
  const { parent, flags } = trace.columns;
  const path = new Uint8Array(trace.count);
  for (let row = trace.count - 1; row >= 0; row--) {
    if (((flags[row] as number) & 0b1000) !== 0) path[row] = 1;
    const above = parent[row] as number;
    if (path[row] === 1 && above < trace.count) path[above] = 1;
  }
  return path;
}

/** The first error in the deepest sense: one that no error below it explains. */
export function firstCause(trace: Trace): number | null {
  const { parent, flags } = trace.columns;
  const explained = new Uint8Array(trace.count);
  let cause: number | null = null;
  for (let row = trace.count - 1; row >= 0; row--) {
    const error = ((flags[row] as number) & 0b1000) !== 0;
    if (error && explained[row] === 0) cause = row;
    const above = parent[row] as number;
    if ((error || explained[row] === 1) && above < trace.count) explained[above] = 1;
  }
  return cause;
}

/** Rows to unfold so that a row can be seen: its ancestors, and the groups that hold it or one of them. */
export function reveal(trace: Trace, groups: Groups, shape: Shape, row: number): Shape {
  const folded = new Set(shape.folded);
  const open = new Set(shape.open);
  const group = groups.of[row] ?? NO_GROUP;
  if (group !== NO_GROUP) open.add(group);
  for (let at = trace.columns.parent[row] as number; at < trace.count; at = trace.columns.parent[at] as number) {
    folded.delete(at);
    const above = groups.of[at] ?? NO_GROUP;
    if (above !== NO_GROUP) open.add(above);
  }
  return { ...shape, folded, open };
}

/** Rows with children at the depth of the deepest open level: `o` unfolds one level, `p` folds one (Jaeger's keys). */
export function foldOneLevel(trace: Trace, folded: ReadonlySet<number>): Set<number> {
  const out = new Set(folded);
  let deepest = -1;
  const level: number[] = [];
  const { children, descendants, depth } = trace.columns;
  for (let row = 0; row < trace.count; row++) {
    if (folded.has(row)) {
      row += descendants[row] as number;
      continue;
    }
    if ((children[row] as number) === 0) continue;
    const at = depth[row] as number;
    if (at > deepest) {
      deepest = at;
      level.length = 0;
    }
    if (at === deepest) level.push(row);
  }
  for (const row of level) out.add(row);
  return out;
}

export function unfoldOneLevel(trace: Trace, folded: ReadonlySet<number>): Set<number> {
  let shallowest = Number.POSITIVE_INFINITY;
  for (const row of folded) shallowest = Math.min(shallowest, trace.columns.depth[row] ?? 0);
  return new Set([...folded].filter((row) => (trace.columns.depth[row] ?? 0) !== shallowest));
}

/** Everything folded: all rows that have children. */
export function foldAll(trace: Trace): Set<number> {
  const out = new Set<number>();
  const { children } = trace.columns;
  for (let row = 0; row < trace.count; row++) if ((children[row] as number) > 0) out.add(row);
  return out;
}
