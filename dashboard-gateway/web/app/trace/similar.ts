// Grouping of similar siblings: "× 24 similar". Siblings are similar when their whole subtrees look the same: services,
// kinds and operations with numbers left out. A subtree with an error is never hidden in a group.

import { isError, operationOf, type Trace } from "./trace.ts";

/** Fewer than this many are shown as they are. */
export const SIMILAR_MIN = 4;
/** With more distinct names than this, numbers inside names are not looked for. */
const PATTERNS_MAX = 100_000;

export const NO_GROUP = -1;

/** All groups of a trace. Members of group g are members[first[g]] … members[first[g + 1] - 1], in waterfall order. */
export interface Groups {
  readonly count: number;
  /** Group of a row, NO_GROUP for none. */
  readonly of: Int32Array;
  readonly first: Uint32Array;
  readonly members: Uint32Array;
}

export function similarSiblings(trace: Trace): Groups {
  const { shape, broken } = shapes(trace);
  const of = new Int32Array(trace.count).fill(NO_GROUP);
  const first: number[] = [];
  const members: number[] = [];
  const { children, descendants } = trace.columns;
  const bucket = new Map<number, number[]>();
  for (let row = 0; row < trace.count; row++) {
    if ((children[row] as number) < SIMILAR_MIN) continue;
    bucket.clear();
    const last = row + (descendants[row] as number);
    for (let kid = row + 1; kid <= last; kid += (descendants[kid] as number) + 1) {
      if (broken[kid] === 1) continue;
      const same = bucket.get(shape[kid] as number);
      if (same === undefined) bucket.set(shape[kid] as number, [kid]);
      else same.push(kid);
    }
    for (const same of bucket.values()) {
      if (same.length < SIMILAR_MIN) continue;
      for (const kid of same) {
        of[kid] = first.length;
        members.push(kid);
      }
      first.push(members.length - same.length);
    }
  }
  return {
    count: first.length,
    of,
    first: Uint32Array.from([...first, members.length]),
    members: Uint32Array.from(members),
  };
}

/** For each row a hash of what its subtree looks like, and whether an error is in it. */
function shapes(trace: Trace): { shape: Uint32Array; broken: Uint8Array } {
  const { parent, service, operation, flags } = trace.columns;
  const pattern = patterns(trace);
  const shape = new Uint32Array(trace.count);
  const broken = new Uint8Array(trace.count);
  for (let row = trace.count - 1; row >= 0; row--) {
    const own = mix(
      mix(pattern[operation[row] as number] as number, service[row] as number),
      (flags[row] as number) & 0b111,
    );
    const whole = mix(own, shape[row] as number);
    shape[row] = whole;
    if (isError(trace, row)) broken[row] = 1;
    const above = parent[row] as number;
    if (above >= trace.count) continue;
    shape[above] = mix(shape[above] as number, whole);
    if (broken[row] === 1) broken[above] = 1;
  }
  return { shape, broken };
}

/** Operations whose names differ only in numbers get one number. */
export function patterns(trace: Trace): Uint32Array {
  const out = new Uint32Array(trace.operations.length);
  const ids = new Map<string, number>();
  trace.operations.forEach((name, index) => {
    const key = trace.operations.length > PATTERNS_MAX ? name : name.replace(/\d+/g, "#");
    const id = ids.get(key) ?? ids.size;
    ids.set(key, id);
    out[index] = id;
  });
  return out;
}

function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ (value + 0x9e3779b9 + (hash << 6) + (hash >>> 2)), 0x85ebca6b);
  mixed ^= mixed >>> 13;
  return mixed >>> 0;
}

export function membersOf(groups: Groups, group: number): Uint32Array {
  return groups.members.subarray(groups.first[group] ?? 0, groups.first[group + 1] ?? 0);
}

/** One name for a group: `case 01–06`, or `GET /user/…` where the numbers follow no order. */
export function groupName(trace: Trace, members: Uint32Array): string {
  const head = operationOf(trace, members[0] ?? 0);
  const tail = operationOf(trace, members.at(-1) ?? 0);
  let same = true;
  for (const row of members) if (operationOf(trace, row) !== head) same = false;
  if (same) return head;
  const numbers = (name: string) => name.match(/\d+/g) ?? [];
  const [low, high] = [numbers(head), numbers(tail)];
  const differing = low.flatMap((value, index) => (value === high[index] ? [] : [index]));
  const at = differing[0];
  if (differing.length !== 1 || at === undefined) return head.replace(/\d+/g, "…");
  let seen = -1;
  return head.replace(/\d+/g, (value) => {
    seen += 1;
    return seen === at ? `${value}–${high[at]}` : value;
  });
}
