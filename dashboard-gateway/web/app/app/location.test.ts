import { expect, test } from "vitest";
import { nameOf } from "./keys.ts";
import { carried, parseParams, writeParams } from "./location.ts";
import { safeReturn } from "./return.ts";
import { traceIdOf } from "./traceid.ts";

test.each(["?service=yc-web&tag=a%3Db&tag=c%3Dd", "?q=%22a+b%22+-c", "?from=now-1h&to=now", "?operation=GET+/v1/x:y"])(
  "%s survives being read and written",
  (search) => {
    expect(parseParams(writeParams(parseParams(search)))).toEqual(parseParams(search));
  },
);

test("numbers and JSON in a URL stay text", () => {
  expect(parseParams('?service=123&tags={"error":"true"}')).toEqual({ service: "123", tags: '{"error":"true"}' });
});

test("a link to another page takes only the time along, Jaeger's names for it too", () => {
  expect(carried(parseParams("?service=a&from=now-6h&vs=7d"))).toEqual({ from: "now-6h", to: "now", vs: "7d" });
  expect(carried(parseParams("?lookback=2h"))).toEqual({ from: "now-2h", to: "now" });
  expect(carried(parseParams("?start=1794104400000000&end=1794108000000000"))).toEqual({
    from: "1794104400000",
    to: "1794108000000",
  });
});

test.each([
  ["/search?a=1", "/search?a=1"],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
  ["https://evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["/a/../../b", "/"],
  ["/a/%2e%2e/b", "/"],
  ["javascript:alert(1)", "/"],
  [undefined, "/"],
])("after login %s leads to %s", (target, path) => expect(safeReturn(target, "/")).toBe(path));

test("a trace id is recognised in every usual spelling", () => {
  const id = "4f1c09be72d3a8e15b600102030405ff";
  expect(traceIdOf(id.toUpperCase())).toBe(id);
  expect(traceIdOf(`0x${id}`)).toBe(id);
  expect(traceIdOf("72d3a8e15b600102")).toBe("000000000000000072d3a8e15b600102");
  expect(
    traceIdOf(btoa(String.fromCharCode(...(id.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))))),
  ).toBe(id);
  expect(traceIdOf("checkout")).toBeNull();
  expect(traceIdOf("0".repeat(32))).toBeNull();
});

test("key events have the names that the map uses", () => {
  const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
    nameOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });
  expect(press("k", { ctrlKey: true })).toBe("Ctrl+K");
  expect(press("Enter", { metaKey: true })).toBe("Ctrl+Enter");
  expect(press("T", { shiftKey: true })).toBe("T");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("ArrowUp", { shiftKey: true })).toBe("Shift+↑");
});
