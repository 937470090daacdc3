// @vitest-environment node
import { describe, expect, it } from "vitest";
import { detailsMatch, duplicateKeys, errorText, innerJson, plain, valueText } from "./details.ts";
import { readJaeger, UploadError } from "./jaeger.ts";
import { type LinkPattern, readPatterns, resolveLinks } from "./link-patterns.ts";
import { isError, isOrphan, operationOf, parentOf, spanIdOf } from "./trace.ts";
import { takeFiles, uploadedTrace } from "./upload.ts";

const ID = "0f85c224d82654a45c55381a339b7328";

function span(spanID: string, parent: string | null, more: Record<string, unknown> = {}) {
  const references = parent === null ? [] : [{ refType: "CHILD_OF", traceID: ID, spanID: parent }];
  return {
    traceID: ID,
    spanID,
    operationName: `op ${spanID}`,
    references,
    startTime: 1_795_364_622_513_777,
    duration: 1000,
    processID: "p1",
    ...more,
  };
}

function document(...spans: unknown[]) {
  return { data: [{ traceID: ID, spans, processes: { p1: { serviceName: "shop", tags: [] } } }] };
}

function only(doc: unknown) {
  const [one] = readJaeger(doc);
  if (one === undefined) throw new Error("no trace");
  return one;
}

describe("Jaeger JSON", () => {
  it("becomes rows in waterfall order with details beside them", () => {
    const child = span("2", "1", {
      startTime: 1_795_364_622_514_777,
      tags: [
        { key: "error", type: "bool", value: true },
        { key: "n", type: "int64", value: 9007199254740 },
      ],
      logs: [{ timestamp: 1_795_364_622_514_900, fields: [{ key: "event", type: "string", value: "exception" }] }],
    });
    const { analysis, spans } = only(document(child, span("1", null)));
    const { trace } = analysis;
    expect([operationOf(trace, 0), operationOf(trace, 1)]).toEqual(["op 1", "op 2"]);
    expect(isError(trace, 1)).toBe(true);
    expect(trace.columns.start[1]).toBe(1e6);
    expect(spans[1]).toMatchObject({ row: 1, service: "shop", parentSpanId: "0000000000000001" });
    expect(spans[1]?.attributes[1]).toEqual({ key: "n", type: "int", value: "9007199254740" });
    expect(spans[1]?.events[0]?.name).toBe("exception");
  });

  it("keeps orphans, cycles, own parents and repeated ids, each in one row", () => {
    const doc = document(
      span("1", "9"),
      span("2", "3"),
      span("3", "2"),
      span("4", "4"),
      span("5", null),
      span("5", null),
    );
    const { trace } = only(doc).analysis;
    expect(trace.count).toBe(6);
    expect(Array.from({ length: 6 }, (_, row) => spanIdOf(trace, row)).sort()).toHaveLength(6);
    const orphan = Array.from({ length: 6 }, (_, row) => row).find((row) => operationOf(trace, row) === "op 1") ?? -1;
    expect(isOrphan(trace, orphan)).toBe(true);
    const three = Array.from({ length: 6 }, (_, row) => row).find((row) => operationOf(trace, row) === "op 3") ?? -1;
    expect(operationOf(trace, parentOf(trace, three) ?? -1)).toBe("op 2");
  });

  it("does not overflow on a chain of 20,000", () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => span((i + 1).toString(16), i === 0 ? null : i.toString(16)));
    expect(only(document(...chain)).analysis.depth).toBe(20_000);
  });

  it("survives fields of the wrong kind and refuses what holds no trace", () => {
    const odd = {
      spanID: 7,
      operationName: null,
      tags: "x",
      logs: [null, 3],
      references: [null],
      startTime: "soon",
      duration: -5,
      warnings: 1,
    };
    expect(only({ data: [{ spans: [odd, null, 4] }] }).analysis.trace.count).toBe(1);
    for (const bad of [null, 3, [], {}, { data: [] }, { data: [{ spans: [] }] }, { data: "x" }]) {
      expect(() => readJaeger(bad)).toThrow(UploadError);
    }
  });
});

describe("uploaded files", () => {
  const file = (text: string, name = "trace.json") => new File([text], name);

  it("are shown under the id that they carry; a bad one is told by name", async () => {
    const report = await takeFiles([file("{", "broken.json"), file(JSON.stringify(document(span("1", null))))], () =>
      Promise.reject(new Error("unused")),
    );
    expect(report.traceIds).toEqual([ID]);
    expect(report.failures).toEqual([{ file: "broken.json", reason: "the file is not JSON" }]);
    expect(uploadedTrace(ID)?.spans).toHaveLength(1);
  });

  it("of OTLP, also in lines, go through the server's transformation", async () => {
    const line = '{"resourceSpans":[{"scopeSpans":[]}]}';
    const sent: string[] = [];
    const transform = (otlp: string) => {
      sent.push(otlp);
      return Promise.resolve(document(span("1", null)));
    };
    await takeFiles([file(`${line}\n${line}\n`)], transform);
    expect(JSON.parse(sent[0] ?? "")).toEqual({ resourceSpans: [{ scopeSpans: [] }, { scopeSpans: [] }] });
  });
});

describe("details", () => {
  it("writes any value as text", () => {
    expect(valueText({ type: "int", value: "-9223372036854775808" })).toBe("-9223372036854775808");
    expect(
      valueText({
        type: "array",
        value: [
          { type: "int", value: "3" },
          { type: "string", value: "a" },
        ],
      }),
    ).toBe('[3,"a"]');
    expect(plain({ type: "kvlist", value: [{ key: "__proto__", type: "bool", value: true }] })).not.toHaveProperty(
      "polluted",
    );
    expect(valueText({ type: "empty", value: null })).toBe("");
    expect(innerJson('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(innerJson("{broken")).toBe(null);
  });

  const spans = only(
    document(span("1", null, { tags: [{ key: "http.url", type: "string", value: "https://x/y" }] })),
  ).spans;
  const [one] = spans;
  if (one === undefined) throw new Error("no span");

  it("are searched by words, without the keys that are left out", () => {
    expect(detailsMatch(one, ["x/y"], [])).toBe(true);
    expect(detailsMatch(one, ["x/y"], ["http.url"])).toBe(false);
    expect(detailsMatch(one, ["http.url=https"], [])).toBe(true);
  });

  it("tell the error in words and keys that repeat", () => {
    const exception = {
      time: "1",
      name: "exception",
      attributes: [{ key: "exception.type", type: "string" as const, value: "Boom" }],
    };
    expect(errorText({ ...one, events: [exception] })).toBe("Boom");
    expect(errorText({ ...one, status: { code: "ERROR", message: "first" }, events: [exception] })).toBe("first");
    expect(duplicateKeys([...one.attributes, ...one.attributes])).toEqual(["http.url"]);
  });

  it("lead out by patterns, never to anything but http, https or this host", () => {
    const scope = { traceId: ID, traceStartMs: 1000.4, traceEndMs: 2000 };
    const href = (url: string, attributes = one.attributes) => {
      const pattern: LinkPattern = { key: "http.url", url, text: "go" };
      return resolveLinks([pattern], "http.url", { ...one, attributes }, scope).map((link) => link.href);
    };
    expect(href("https://logs/?trace=#{trace.traceId}&u=#{http.url}&t=#{trace.startMs}")).toEqual([
      `https://logs/?trace=${ID}&u=https%3A%2F%2Fx%2Fy&t=1000`,
    ]);
    expect(href("#{http.url}", [{ key: "http.url", type: "string", value: "javascript:alert(1)" }])).toEqual([]);
    expect(href("//evil/#{span.spanId}")).toEqual([]);
    expect(href("/search?q=#{missing}")).toEqual([]);
    expect(href("/search?q=#{span.spanId}")).toEqual(["/search?q=0000000000000001"]);
    expect(readPatterns([{ key: "a", url: "b", text: "c" }, { key: 1 }, null])).toHaveLength(1);
  });
});
