import { expect, test } from "vitest";
import { slotOf, swatches } from "./colour.ts";

test("a service keeps its hue in every view and session", () => {
  expect(slotOf("postgres")).toBe(1);
  expect(slotOf("yc-backend-api")).toBe(9);
  expect(slotOf("redis")).toBe(6);
});

test("of two services in one slot the later in byte order is split", () => {
  const names = Array.from({ length: 40 }, (_, index) => `service-${index}`);
  const shown = swatches(names.toReversed());
  expect([...shown.values()].filter((swatch) => !swatch.split).length).toBeLessThanOrEqual(12);
  for (const name of names) {
    const { slot, split } = shown.get(name) ?? { slot: -1, split: false };
    const first = [...shown].find(([, other]) => other.slot === slot)?.[0];
    expect(split).toBe(first !== name);
  }
});
