import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch, open, signIn } from "../src/browser.ts";
import { type Span, send } from "../src/otlp.ts";
import { PAYLOADS } from "../src/payloads.ts";
import { ids } from "../src/platform.ts";

const { otlp, query, gateway } = inject("urls");
const id = ids(99);
const traces = PAYLOADS.map(() => id.trace());
let browser: Browser;

/** A trace that carries one payload in every place where telemetry has text. */
function poisoned(payload: string, at: number): Span[] {
  const startMs = Date.now() - 60_000 + at;
  const [root, child] = [id.span(), id.span()];
  const traceId = traces[at] ?? "";
  const error = { type: payload, message: payload };
  const attributes = {
    [payload]: payload,
    "http.url": payload,
    json: JSON.stringify({ [payload]: { [payload]: payload } }),
    map: { [payload]: payload },
    list: [payload],
  };
  const service = `${payload.slice(0, 900)} #${at}`;
  const resource = { "service.version": payload, [payload]: payload };
  return [
    { traceId, spanId: root, service, name: payload, kind: 2, startMs, durationMs: 20, attributes, resource, error },
    { traceId, spanId: child, parentSpanId: root, service: "victim", name: payload, kind: 2, startMs: startMs + 1, durationMs: 9, attributes, error },
  ];
}

beforeAll(async () => {
  expect(PAYLOADS).toHaveLength(60);
  await send(otlp, query, PAYLOADS.flatMap(poisoned));
  browser = await launch();
});
afterAll(() => browser.close());

test("no payload acts on the pages of many traces", async () => {
  const { page, faults } = await open(browser);
  await signIn(page, gateway);
  const pages = [
    "/?from=now-15m&to=now",
    "/search?service=victim&from=now-15m&to=now",
    `/search?service=${encodeURIComponent(`${PAYLOADS[0]} #0`)}&from=now-15m&to=now`,
    "/dependencies?from=now-15m&to=now",
    "/monitor?service=victim&from=now-15m&to=now",
    "/compare?service=victim&vs=prev&from=now-15m&to=now",
  ];
  for (const path of pages) {
    await page.goto(gateway + path);
    await page.waitForLoadState("networkidle");
    expect(faults, path).toEqual([]);
  }
  await page.context().close();
});

test("no payload acts on the page of its trace, nor in its panel, nor in its JSON", { timeout: 180_000 }, async () => {
  const { page, faults } = await open(browser);
  await signIn(page, gateway);
  for (const [at, trace] of traces.entries()) {
    await page.goto(`${gateway}/trace/${trace}`);
    await page.getByRole("tree").getByRole("treeitem").first().click();
    await page.waitForLoadState("networkidle");
    expect(faults, PAYLOADS[at]).toEqual([]);
    const bad = await page.evaluate(() =>
      [...document.querySelectorAll("a[href]")]
        .map((link) => (link as HTMLAnchorElement).protocol)
        .filter((protocol) => protocol !== "http:" && protocol !== "https:"),
    );
    expect(bad, PAYLOADS[at]).toEqual([]);
    expect(await page.evaluate(() => document.querySelectorAll("iframe, object, embed, base").length)).toBe(0);
  }
  await page.context().close();
});
