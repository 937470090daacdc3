import { expect, test } from "vitest";
import type { RedGroup } from "../../api/wire.ts";
import { binDurations, compareRanges } from "./model.ts";

function group(operation: string, calls: number, totalNano: number): RedGroup {
  const series = { calls: [], errors: [], p50Nano: [], p75Nano: [], p95Nano: [] };
  const none = { p50Nano: null, p75Nano: null, p95Nano: null, p99Nano: null };
  return { service: "s", operation, kind: "server", calls, errors: 0, totalNano, ...none, series };
}

test("what the operations add is what the whole differs by", () => {
  const now = [group("run", 10, 9000), group("list", 30, 300), group("new", 10, 50)];
  const then = [group("run", 20, 2000), group("list", 30, 330), group("gone", 5, 500)];
  const { changes, meanNano, thenMeanNano } = compareRanges(now, then);
  const added = changes.reduce((total, change) => total + change.addedNano, 0);
  expect(added).toBeCloseTo((meanNano ?? 0) - (thenMeanNano ?? 0), 9);
  expect(changes.map((change) => change.operation)).toEqual(["run", "gone", "new", "list"]);
});

test("a range without calls has no mean", () => {
  expect(compareRanges([], []).meanNano).toBeNull();
  const { changes, thenMeanNano } = compareRanges([group("a", 2, 20)], []);
  expect(thenMeanNano).toBeNull();
  expect(changes[0]?.addedNano).toBe(10);
});

test("durations fall into common bins and none is lost", () => {
  const bins = binDurations([1e6, 1.1e6, 9e6], [1e6, 100e6, 0]);
  expect(bins.reduce((total, bin) => total + bin.now, 0)).toBe(3);
  expect(bins.reduce((total, bin) => total + bin.then, 0)).toBe(3);
  expect(bins[0]).toMatchObject({ now: 2, then: 2 });
  expect(binDurations([], [])).toEqual([]);
});
