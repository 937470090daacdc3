// What changed between two ranges of one service: the difference of the mean latency, split so that it adds up.
import type { RedGroup } from "../../api/wire.ts";

export interface Change {
  readonly operation: string;
  readonly kind: string;
  readonly now: RedGroup | null;
  readonly then: RedGroup | null;
  /** What this operation adds to the time per call of the whole, nanoseconds. The changes of all operations add up to the whole's. */
  readonly addedNano: number;
}

export interface Comparison {
  readonly changes: readonly Change[];
  /** Time per call, both ranges; null without calls. */
  readonly meanNano: number | null;
  readonly thenMeanNano: number | null;
}

/**
 * Time per call of a range is Σ total / Σ calls. An operation's part of it is its total / Σ calls, so slower calls and more
 * calls of a slow operation both show up where they happen.
 */
export function compareRanges(now: readonly RedGroup[], then: readonly RedGroup[]): Comparison {
  const calls = sum(now, (group) => group.calls);
  const thenCalls = sum(then, (group) => group.calls);
  const key = (group: RedGroup) => `${group.operation}\0${group.kind}`;
  const before = new Map(then.map((group) => [key(group), group]));
  const seen = new Set<string>();
  const pairs: [RedGroup | null, RedGroup | null][] = now.map((group) => {
    seen.add(key(group));
    return [group, before.get(key(group)) ?? null];
  });
  for (const group of then) if (!seen.has(key(group))) pairs.push([null, group]);
  const part = (group: RedGroup | null, all: number) => (group === null || all === 0 ? 0 : group.totalNano / all);
  const changes = pairs.map(([one, two]) => ({
    operation: (one ?? two)?.operation ?? "",
    kind: (one ?? two)?.kind ?? "",
    now: one,
    then: two,
    addedNano: part(one, calls) - part(two, thenCalls),
  }));
  changes.sort((a, b) => Math.abs(b.addedNano) - Math.abs(a.addedNano) || a.operation.localeCompare(b.operation));
  return {
    changes,
    meanNano: calls === 0 ? null : sum(now, (group) => group.totalNano) / calls,
    thenMeanNano: thenCalls === 0 ? null : sum(then, (group) => group.totalNano) / thenCalls,
  };
}

function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0);
}

export interface Bin {
  readonly lowNano: number;
  readonly highNano: number;
  readonly now: number;
  readonly then: number;
}

/** Durations of two sets of traces in common bins, a quarter of a power of ten each. */
export function binDurations(now: readonly number[], then: readonly number[]): Bin[] {
  const all = [...now, ...then].filter((nano) => nano > 0);
  if (all.length === 0) return [];
  const place = (nano: number) => Math.floor(Math.log10(Math.max(1, nano)) * 4 + 1e-9);
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const nano of all) {
    first = Math.min(first, place(nano));
    last = Math.max(last, place(nano));
  }
  const bins = Array.from({ length: last - first + 1 }, (_, at) => ({
    lowNano: 10 ** ((first + at) / 4),
    highNano: 10 ** ((first + at + 1) / 4),
    now: 0,
    then: 0,
  }));
  for (const [list, side] of [
    [now, "now"],
    [then, "then"],
  ] as const) {
    for (const nano of list) {
      const bin = bins[Math.max(first, place(nano)) - first];
      if (bin !== undefined) bin[side] += 1;
    }
  }
  return bins;
}
