// Made-up traces: the submission of screen.md (108 spans) and trees of any size. The same seed gives the same trace.

import { assemble, type Seed } from "../trace/assemble.ts";
import type { Columns, Kind, Trace } from "../trace/trace.ts";

const MS = 1e6;
const START = 1_795_403_647_412_000_000n;
export const FIXTURE_ID = "4f1c09be72d3a8e15b604f1c09be72d3";

interface Call {
  readonly service: string;
  readonly operation: string;
  /** Milliseconds after the start of the trace. */
  readonly from: number;
  readonly to: number;
  readonly error?: boolean;
  readonly kind?: Kind;
  readonly events?: boolean;
  readonly calls?: readonly Call[];
}

export function traceOf(roots: readonly Call[], traceId = FIXTURE_ID): Trace {
  const seeds: Seed[] = [];
  const add = (call: Call, parentSpanId: string) => {
    const spanId = (0xa0000000 + seeds.length + 1).toString(16).padStart(16, "0");
    seeds.push({
      spanId,
      parentSpanId,
      service: call.service,
      operation: call.operation,
      kind: call.kind ?? "internal",
      error: call.error ?? false,
      startNano: START + BigInt(Math.round(call.from * MS)),
      durationNano: Math.round((call.to - call.from) * MS),
      events: call.events ?? false,
      links: false,
      warnings: false,
    });
    for (const below of call.calls ?? []) add(below, spanId);
  };
  for (const root of roots) add(root, "");
  return assemble(traceId, seeds).trace;
}

const call = (service: string, operation: string, from: number, to: number, calls: readonly Call[] = []): Call => ({
  service,
  operation,
  from,
  to,
  calls,
});
const failed = (one: Call): Call => ({ ...one, error: true, events: true });

const WEB = "yc-web";
const API = "yc-backend-api";
const EXECUTOR = "yc-code-executor";
const PG = "postgres";
const PAY = "payment-api";
const REDIS = "redis";
const RUNNER = "sandbox-runner";

function cases(from: number, count: number, at: number): Call[] {
  return Array.from({ length: count }, (_, i) => {
    const start = at + i * 70;
    const name = `case ${String(from + i).padStart(2, "0")}`;
    return call(EXECUTOR, name, start, start + 66, [
      call(RUNNER, "sandbox.exec", start + 4, start + 58),
      call(REDIS, "SET case:result", start + 60, start + 61.6),
    ]);
  });
}

/** A submission that takes three seconds because a sandbox ran out of memory: 108 spans, 9 services, 8 errors. */
export function submission(): Trace {
  const runs = cases(1, 6, 1216);
  const broken = failed(
    call(EXECUTOR, "case 07", 1640, 2300, [
      failed(call(RUNNER, "sandbox.exec", 1644, 2291)),
      call(REDIS, "SET case:result", 2292, 2293.6),
    ]),
  );
  const updates = Array.from({ length: 24 }, (_, i) => call(PG, "UPDATE test_results", 2604 + i * 8, 2611 + i * 8));
  const run = failed(
    call(EXECUTOR, "executor.Executor/Run", 398, 2828, [
      call(EXECUTOR, "slot.acquire", 400, 842, [call(REDIS, "BRPOP slots", 402, 840)]),
      call("object-storage", "GET tests/1841.tar", 844, 921),
      call(EXECUTOR, "unpack", 922, 958),
      call(EXECUTOR, "compile rust", 960, 1212, [
        call(RUNNER, "sandbox.create", 962, 1002),
        call(RUNNER, "rustc --release", 1003, 1208),
      ]),
      ...runs,
      broken,
      ...cases(8, 4, 2304),
      ...updates,
      failed(call(EXECUTOR, "report", 2800, 2809)),
    ]),
  );
  const api = failed(
    call(API, "POST /v1/submissions", 52, 3018, [
      call(API, "rate_limit", 54, 61, [call(REDIS, "INCR rl:user", 55, 57), call(REDIS, "EXPIRE rl:user", 57.4, 58.6)]),
      call(API, "load_problem", 62, 118, [
        call(REDIS, "GET problem:1841", 63, 65),
        call(PG, "SELECT problems", 67, 94),
        call(PG, "SELECT test_cases", 95, 116),
      ]),
      call(API, "entitlements", 119, 322, [
        call(PAY, "GET /v1/entitlements", 124, 318, [
          call(PAY, "cache.lookup", 126, 131, [call(REDIS, "GET ent:2210", 127, 130)]),
          call(PG, "SELECT subscriptions", 134, 171),
          call(PG, "SELECT invoices", 172, 241),
          call(PAY, "plan.evaluate", 243, 312, [
            call(PG, "SELECT plan_limits", 246, 262),
            call(PG, "SELECT usage", 263, 308),
          ]),
        ]),
      ]),
      call(API, "INSERT submission", 324, 371, [
        call(PG, "BEGIN", 325, 326.6),
        call(PG, "INSERT submissions", 328, 352),
        call(PG, "INSERT outbox", 353, 361),
        call(PG, "COMMIT", 362, 370),
      ]),
      call(API, "publish submissions.created", 372, 389),
      failed(call(API, "executor.Executor/Run", 392, 2832, [run])),
      call(API, "SELECT submission", 2834, 2882, [call(PG, "SELECT submissions", 2836, 2879)]),
      call(API, "notify", 2884, 2950, [
        call(REDIS, "PUBLISH sub:8f1", 2886, 2888.4),
        call(PG, "INSERT notifications", 2890, 2946),
      ]),
      call(API, "audit.write", 2951, 3012, [call(PG, "INSERT audit_log", 2954, 3008)]),
    ]),
  );
  return traceOf([
    failed(
      call(WEB, "POST /submit", 0, 3040, [
        call(WEB, "session.load", 3, 41, [
          call("auth-service", "POST /verify", 8, 36, [
            call("auth-service", "jwt.verify", 10, 13),
            call(REDIS, "GET session", 14, 16.1),
            call(PG, "SELECT users", 17, 30),
          ]),
        ]),
        call(WEB, "csrf.check", 42, 43.4),
        failed(call(WEB, "HTTP POST /v1/submissions", 45, 3022, [api])),
        call(WEB, "render error page", 3024, 3036, [
          call(WEB, "template.load", 3025, 3028),
          call(WEB, "i18n.load", 3028.5, 3029.9),
        ]),
      ]),
    ),
  ]);
}

/** The same submission a day earlier: nothing broken, no waiting, one batched update. */
export function fastSubmission(): Trace {
  return traceOf(
    [
      call(WEB, "POST /submit", 0, 910, [
        call(WEB, "csrf.check", 2, 3.4),
        call(WEB, "HTTP POST /v1/submissions", 5, 866, [
          call(API, "POST /v1/submissions", 9, 859, [
            call(API, "entitlements", 30, 91, [
              call(PAY, "GET /v1/entitlements", 32, 89, [
                call(PG, "SELECT subscriptions", 34, 50),
                call(PAY, "plan.evaluate", 51, 88),
              ]),
            ]),
            call(API, "executor.Executor/Run", 100, 740, [
              call(EXECUTOR, "executor.Executor/Run", 103, 737, [
                call(EXECUTOR, "slot.acquire", 104, 106, [call(REDIS, "BRPOP slots", 104.4, 105.6)]),
                call(EXECUTOR, "compile rust", 110, 360, [call(RUNNER, "rustc --release", 112, 358)]),
                ...Array.from({ length: 11 }, (_, i) =>
                  call(EXECUTOR, `case ${String(i + 1).padStart(2, "0")}`, 365 + i * 30, 393 + i * 30, [
                    call(RUNNER, "sandbox.exec", 366 + i * 30, 390 + i * 30),
                  ]),
                ),
                call(PG, "UPDATE test_results_batch", 700, 711),
                call(EXECUTOR, "report", 714, 722),
              ]),
            ]),
            call(API, "audit.write", 760, 802, [call(PG, "INSERT audit_log", 762, 800)]),
          ]),
        ]),
        call(WEB, "render result page", 870, 884),
      ]),
    ],
    "9b20c7e49b20c7e49b20c7e49b20c7e4",
  );
}

/** Names that try to act: markup, control and bidi characters, combining marks, very long and empty names. */
export function hostileTrace(): Trace {
  const names = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "gnp\u202Eexe.tam\u2066",
    "line\nbreak\ttab\u0000nul",
    `Z${"\u0335".repeat(60)}algo`,
    "long ".repeat(400),
    "",
    "\u{1F468}\u200D\u{1F469}\u200D\u{1F467} family",
    "{{constructor.constructor('alert(1)')()}}",
    "__proto__",
  ];
  return traceOf([
    failed(
      call(
        "<b>svc</b>\u202E",
        names[0] ?? "",
        0,
        100,
        names.map((name, i) => call(i % 2 === 0 ? name : "plain", name, i * 8, i * 8 + 6)),
      ),
    ),
  ]);
}

/** Numbers that look random and are the same in every run. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A tree of `spans` spans, columns written directly: depth up to 12, fan-outs, about one error in 2,000. */
export function largeTrace(spans: number, seed = 7): Trace {
  const next = random(seed);
  const services = Array.from({ length: 24 }, (_, i) => `service-${String(i).padStart(2, "0")}`);
  const operations = Array.from(
    { length: 200 },
    (_, i) => `operation ${i % 40 === 0 ? "SELECT" : "call"} ${String.fromCharCode(97 + (i % 26))}${i}`,
  );
  const columns: Columns = {
    parent: new Uint32Array(spans),
    depth: new Uint16Array(spans),
    start: new Float64Array(spans),
    duration: new Float64Array(spans),
    service: new Uint32Array(spans),
    operation: new Uint32Array(spans),
    flags: new Uint8Array(spans),
    spanId: new Uint32Array(spans * 2),
    descendants: new Uint32Array(spans),
    children: new Uint32Array(spans),
  };
  const total = Math.max(2_000, spans / 10) * MS;
  // A task is a subtree to fill: how many rows, in which time.
  interface Task {
    readonly parent: number;
    readonly depth: number;
    readonly rows: number;
    readonly from: number;
    readonly to: number;
  }
  const stack: Task[] = [{ parent: 0xffffffff, depth: 0, rows: spans, from: 0, to: total }];
  let row = 0;
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    const { parent, depth, rows, from, to } = task;
    columns.parent[row] = parent;
    columns.depth[row] = depth;
    columns.start[row] = Math.round(from);
    columns.duration[row] = Math.round(to) - Math.round(from);
    columns.service[row] = depth < 3 ? depth : Math.floor(next() * services.length);
    columns.operation[row] = Math.floor(next() * operations.length);
    columns.flags[row] = (1 + (row % 5)) | (next() < 0.0005 ? 8 : 0);
    columns.spanId[row * 2] = 0xabc00000;
    columns.spanId[row * 2 + 1] = row + 1;
    columns.descendants[row] = rows - 1;
    const own = row;
    row += 1;
    let left = rows - 1;
    if (left === 0) continue;
    const kids = depth >= 12 ? left : Math.min(left, 2 + Math.floor(next() * 10));
    columns.children[own] = kids;
    const width = (to - from) / kids;
    const tasks: Task[] = [];
    for (let kid = 0; kid < kids; kid++) {
      const share =
        kid === kids - 1
          ? left
          : Math.max(1, Math.min(left - (kids - kid - 1), Math.floor((left / (kids - kid)) * (0.3 + next() * 1.4))));
      left -= share;
      const begin = from + kid * width + width * 0.05;
      tasks.push({ parent: own, depth: depth + 1, rows: share, from: begin, to: begin + width * (0.4 + next() * 0.5) });
    }
    for (const one of tasks.reverse()) stack.push(one);
  }
  return {
    traceId: FIXTURE_ID,
    count: spans,
    start: START.toString(),
    startMs: Number(START) / 1e6,
    durationNano: total,
    services,
    operations,
    columns,
    version: "0000000000000001",
    warnings: 0,
    traceWarnings: [],
    cut: null,
    partial: [],
  };
}
