// Series of one group, derived from what the API counts.
import type { RedGroup } from "../api/wire.ts";

type Points = readonly (number | null)[];

/** The one group of an answer by service; when several kinds answered, the one with the most calls. */
export function overall(groups: readonly RedGroup[]): RedGroup | null {
  return groups.reduce<RedGroup | null>(
    (most, group) => (most === null || group.calls > most.calls ? group : most),
    null,
  );
}

/** Errors per call in each step; a step without calls has no share. */
export function errorShares(group: RedGroup): Points {
  return group.series.calls.map((calls, at) => {
    const errors = group.series.errors[at] ?? null;
    return calls === null || errors === null || calls === 0 ? null : errors / calls;
  });
}

/** Calls per second in each step. */
export function rates(group: RedGroup, stepSeconds: number): Points {
  return group.series.calls.map((calls) => (calls === null ? null : calls / stepSeconds));
}

/** What share of all time the groups spent in each, by operation and kind. */
export function impacts(groups: readonly RedGroup[]): Map<RedGroup, number> {
  const total = groups.reduce((sum, group) => sum + group.totalNano, 0);
  return new Map(groups.map((group) => [group, total > 0 ? group.totalNano / total : 0]));
}
