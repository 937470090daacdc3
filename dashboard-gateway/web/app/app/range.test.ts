import { expect, test } from "vitest";
import { resolvePoint, resolveRange, stepSeconds, versusRange } from "./range.ts";

const NOW = Date.UTC(2026, 10, 8, 3, 20, 0);
const HOUR = 3600e3;

test.each([
  ["now", NOW],
  ["now-1h", NOW - HOUR],
  ["now-2d", NOW - 48 * HOUR],
  ["now/d", Date.UTC(2026, 10, 8)],
  ["now-1w/w", Date.UTC(2026, 9, 26)],
  ["2026-11-08 02:20", Date.UTC(2026, 10, 8, 2, 20)],
  ["2026-11-08T02:20:30.5Z", Date.UTC(2026, 10, 8, 2, 20, 30, 500)],
  ["2026-11-08T02:20:00+02:00", Date.UTC(2026, 10, 8, 0, 20)],
  ["1794104400000", 1794104400000],
  ["yesterday", null],
  ["now-1y", null],
  ["", null],
])("%s starts at %d", (text, ms) => expect(resolvePoint(text, NOW, "utc", false)).toBe(ms));

test("a rounded end is the end of its day", () => {
  expect(resolvePoint("now/d", NOW, "utc", true)).toBe(Date.UTC(2026, 10, 9));
});

test("a range that cannot be read or runs backwards is the last hour", () => {
  const hour = { startMs: NOW - HOUR, endMs: NOW };
  expect(resolveRange({ from: "now", to: "now-1h" }, NOW, "utc")).toEqual(hour);
  expect(resolveRange({ from: "<script>", to: "now" }, NOW, "utc")).toEqual(hour);
});

test("the compared range never overlaps the shown one", () => {
  const range = { startMs: NOW - 48 * HOUR, endMs: NOW };
  expect(versusRange(range, "1d")?.endMs).toBe(NOW - 48 * HOUR);
  expect(versusRange({ startMs: NOW - HOUR, endMs: NOW }, "prev")).toEqual({
    startMs: NOW - 2 * HOUR,
    endMs: NOW - HOUR,
  });
  expect(versusRange(range, "off")).toBeNull();
});

test("steps are numbers that people count in", () => {
  expect(stepSeconds({ startMs: NOW - HOUR, endMs: NOW })).toBe(60);
  expect(stepSeconds({ startMs: NOW - 24 * HOUR, endMs: NOW })).toBe(1800);
});
