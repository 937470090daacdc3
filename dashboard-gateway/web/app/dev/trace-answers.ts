// Trace endpoints of the fixture server. `/trace/4f1c…` is the submission; an id that is a decimal number is a trace of so
// many spans; `/trace/…bad` has hostile names.
import type { ServerResponse } from "node:http";
import type { SpanDetails } from "../trace/details.ts";
import { findLocally, parseFind } from "../trace/find.ts";
import { durationOf, isError, kindOf, operationOf, serviceOf, spanIdOf, startOf, type Trace } from "../trace/trace.ts";
import { writeSkeleton } from "./skeleton-writer.ts";
import { FIXTURE_ID, fastSubmission, hostileTrace, largeTrace, submission } from "./trace-fixture.ts";

const made = new Map<string, Trace>();

function traceOfId(id: string): Trace {
  const known = made.get(id);
  if (known !== undefined) return known;
  const count = /^\d+$/.test(id) ? Number(id) : 0;
  const shape = id.endsWith("bad")
    ? hostileTrace()
    : id.startsWith("9b20")
      ? fastSubmission()
      : count > 0
        ? largeTrace(count)
        : submission();
  const trace = { ...shape, traceId: id };
  made.set(id, trace);
  return trace;
}

const string = (key: string, value: string) => ({ key, type: "string" as const, value });

function details(trace: Trace, row: number): SpanDetails {
  const error = isError(trace, row);
  const start = BigInt(trace.start) + BigInt(Math.round(startOf(trace, row)));
  const parent = trace.columns.parent[row] ?? 0;
  const words = "OutOfMemory: cgroup limit 268 435 456 B reached after 611 ms; process 1 killed (signal 9)";
  return {
    row,
    spanId: spanIdOf(trace, row),
    parentSpanId: parent < trace.count ? spanIdOf(trace, parent) : "",
    name: operationOf(trace, row),
    service: serviceOf(trace, row),
    kind: kindOf(trace, row),
    start: start.toString(),
    durationNano: durationOf(trace, row),
    status: { code: error ? "ERROR" : "UNSET", message: error ? words : "" },
    traceState: "",
    flags: 257,
    attributes: [
      { key: "yc.case", type: "int", value: "7" },
      string("yc.language", "rust"),
      { key: "yc.memory_limit", type: "int", value: "268435456" },
      string("http.url", "https://example.org/v1/submissions?id=1841"),
      string("payload", '{"user":{"id":1841,"name":"<b>x</b>"},"tags":["a","b"]}'),
      string("javascript", "javascript:alert(1)"),
      string("bidi", "invoice\u202Efdp.exe\u0007"),
      {
        key: "retries",
        type: "array",
        value: [
          { type: "int", value: "3" },
          { type: "string", value: "late" },
        ],
      },
      string("yc.language", "twice"),
    ],
    resource: [
      string("service.name", serviceOf(trace, row)),
      string("service.version", "2.14.0"),
      string("host.name", "exec-07"),
    ],
    scope: { name: "yc_sandbox::exec", version: "0.9.2", attributes: [] },
    events: error
      ? [
          {
            time: (start + 611_000_000n).toString(),
            name: "exception",
            attributes: [string("exception.type", "OutOfMemory"), string("exception.message", words)],
          },
          {
            time: (start + 623_000_000n).toString(),
            name: "cgroup.oom_kill",
            attributes: [{ key: "pid", type: "int", value: "1" }],
          },
        ]
      : [],
    links:
      row === 0
        ? [
            {
              traceId: "b7e0d14ab7e0d14ab7e0d14ab7e0d14a",
              spanId: "00000000a0000001",
              attributes: [string("kind", "follows from")],
            },
          ]
        : [],
    dropped: { attributes: 0, events: 0, links: 0 },
    warnings: row === 2 ? ["clock skew: start moved by −1.8 ms to fit the parent"] : [],
  };
}

function rowsOf(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** Answers a trace endpoint; false when the path is none. */
export function answerTrace(url: URL, response: ServerResponse): boolean {
  const json = (body: unknown) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(body));
  };
  const jaeger = /^\/api\/traces\/([0-9a-f]{1,32})$/.exec(url.pathname);
  if (jaeger !== null) {
    json({
      data: [{ traceID: jaeger[1], spans: [{ traceID: jaeger[1], spanID: "1", operationName: "<b>x</b>", tags: [] }] }],
    });
    return true;
  }
  const hit = /^\/api\/yc\/v1\/traces\/([0-9a-f]{1,32})\/(skeleton|spans|events|find)$/.exec(url.pathname);
  if (hit === null) return false;
  const trace = traceOfId(hit[1] ?? FIXTURE_ID);
  if (hit[2] === "skeleton") {
    response.setHeader("content-type", "application/vnd.yc.skeleton.v1");
    response.end(Buffer.from(writeSkeleton(trace)));
  } else if (hit[2] === "spans") {
    json({
      spans: rowsOf(url.searchParams.get("rows") ?? "")
        .filter((row) => row < trace.count)
        .map((row) => details(trace, row)),
    });
  } else if (hit[2] === "find") {
    json({ rows: [...findLocally(trace, parseFind(url.searchParams.get("q") ?? ""))] });
  } else {
    const rows = Array.from({ length: trace.count }, (_, row) => row).filter((row) => isError(trace, row));
    json({ events: rows.flatMap((row) => details(trace, row).events.map((event) => ({ ...event, row }))) });
  }
  return true;
}
