import { expect, test } from "vitest";
import { bytes, change, compact, count, digits, duration, goDuration, parseDuration, percent, rate } from "./format.ts";

test.each([
  [0, "0"],
  [0.0042, "0.004"],
  [0.0421, "0.042"],
  [0.99949, "1"],
  [1.31, "1.31"],
  [9.996, "10.0"],
  [84.24, "84.2"],
  [99.96, "100"],
  [2870.4, "2870"],
  [-3.5, "−3.50"],
])("%d has the three digits %s", (value, text) => expect(digits(value)).toBe(text));

test.each([
  [0, "0"],
  [12, "12 ns"],
  [999.6, "1.00 µs"],
  [1_310_000, "1.31 ms"],
  [999_600_000, "1.00 s"],
  [6.82e9, "6.82 s"],
  [59.99e9, "1.00 min"],
  [745e9, "12.4 min"],
  [7200e9, "2.00 h"],
  [null, "–"],
])("%d ns is written %s", (nano, text) => expect(duration(nano)).toBe(text));

test.each([
  [0, "0 %"],
  [0.00001, "< 0.01 %"],
  [0.0001, "0.01 %"],
  [0.0042, "0.4 %"],
  [0.0841, "8.4 %"],
  [0.71, "71 %"],
  [0.9999, "100 %"],
])("the share %d is %s", (share, text) => expect(percent(share)).toBe(text));

test.each([
  [8.41, 0.38, "22×"],
  [412, 268, "+54 %"],
  [390, 391, ""],
  [80, 100, "−20 %"],
  [4, 2, "2.0×"],
  [0, 0, ""],
  [3, 0, "new"],
  [3, null, ""],
])("%d after %d is a change of '%s'", (now, then, text) => expect(change(now, then)).toBe(text));

test("counts, rates and bytes keep their units apart", () => {
  expect(count(1_284_000)).toBe("1,284,000");
  expect(compact(1_914_220)).toBe("1.91 M");
  expect(rate(2870)).toBe("2870/s");
  expect(rate(0.02)).toBe("0.02/s");
  expect(bytes(41_200_000)).toBe("41.2 MB");
  expect(bytes(12)).toBe("12 B");
});

test.each([
  ["500ms", 5e8],
  ["1.5s", 1.5e9],
  ["1m30s", 90e9],
  ["300us", 3e5],
  ["2 h", 7200e9],
  ["", null],
  ["5", null],
  ["ms", null],
  ["1s;", null],
])("%s is read as the duration %d", (text, nano) => expect(parseDuration(text)).toBe(nano));

test("durations go back into the grammar that the API reads", () => {
  expect(goDuration(5e8)).toBe("500ms");
  expect(goDuration(90e9)).toBe("90s");
  expect(goDuration(1500)).toBe("1500ns");
  expect(parseDuration(goDuration(1_234_567))).toBe(1_234_567);
});
