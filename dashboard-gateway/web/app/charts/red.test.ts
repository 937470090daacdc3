import { expect, test } from "vitest";
import type { RedGroup } from "../api/wire.ts";
import { errorShares, impacts, overall, rates } from "./red.ts";

function group(calls: (number | null)[], errors: (number | null)[], totalNano = 1): RedGroup {
  const none = calls.map(() => null);
  return {
    service: "s",
    operation: "o",
    kind: "server",
    calls: calls.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    errors: 0,
    totalNano,
    p50Nano: null,
    p75Nano: null,
    p95Nano: null,
    p99Nano: null,
    series: { calls, errors, p50Nano: none, p75Nano: none, p95Nano: none },
  };
}

test("a step without calls has no share of errors, and one without errors has zero", () => {
  expect(errorShares(group([0, 10, null, 4], [0, 0, null, 1]))).toEqual([null, 0, null, 0.25]);
});

test("rates are per second", () => {
  expect(rates(group([60, null, 30], [0, 0, 0]), 60)).toEqual([1, null, 0.5]);
});

test("the group with the most calls speaks for the service", () => {
  const [small, large] = [group([1], [0]), group([5], [0])];
  expect(overall([small, large])).toBe(large);
  expect(overall([])).toBeNull();
});

test("impact is the share of all time", () => {
  const [a, b] = [group([1], [0], 30), group([1], [0], 10)];
  expect([...impacts([a, b]).values()]).toEqual([0.75, 0.25]);
  expect([...impacts([group([0], [0], 0)]).values()]).toEqual([0]);
});
