// A small platform with a bad day: yc-web → yc-backend-api → yc-code-executor → postgres, redis. The executor's new version
// breaks and slows it twenty minutes ago; an hour of traffic today and the same hour a day before.
import type { Span } from "./otlp.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Seeded, so that every run draws the same picture. After Steele and Vigna's splitmix. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export function ids(seed: number) {
  const next = random(seed);
  const hex = (digits: number) =>
    Array.from({ length: digits / 8 }, () =>
      Math.floor(next() * 2 ** 32)
        .toString(16)
        .padStart(8, "0"),
    ).join("");
  return { trace: () => `a${hex(32).slice(1)}`, span: () => `b${hex(16).slice(1)}` };
}

export interface Platform {
  readonly spans: readonly Span[];
  /** A trace that failed today. */
  readonly failed: string;
  /** A trace of the day before that went well. */
  readonly fine: string;
}

const OPERATIONS = [
  { path: "POST /api/submissions", rpc: "executor.v1.Executor/Run", slow: 1, weight: 5 },
  { path: "GET /api/problems/{id}", rpc: null, slow: 0.2, weight: 8 },
  { path: "GET /api/leaderboard", rpc: null, slow: 0.35, weight: 4 },
  { path: "POST /api/compile", rpc: "executor.v1.Executor/Compile", slow: 0.5, weight: 3 },
] as const;

export function platform(nowMs: number, traces = 700): Platform {
  const next = random(7);
  const id = ids(11);
  const spans: Span[] = [];
  let failed = "";
  let fine = "";
  for (let n = 0; n < traces; n++) {
    const today = n % 2 === 0;
    const age = ((n / traces) * 0.97 + 0.01) * HOUR_MS;
    const startMs = nowMs - (today ? 0 : DAY_MS) - age;
    const bad = today && age < HOUR_MS / 3;
    const picked = pick(next());
    const broken = bad && picked.rpc !== null && next() < 0.35;
    const trace = id.trace();
    request(spans, { trace, id, next, startMs, picked, bad, broken });
    if (broken && picked.rpc === "executor.v1.Executor/Run") failed = trace;
    if (!today && picked.rpc === "executor.v1.Executor/Run") fine = trace;
  }
  return { spans, failed, fine };
}

function pick(at: number) {
  const total = OPERATIONS.reduce((sum, one) => sum + one.weight, 0);
  let left = at * total;
  for (const one of OPERATIONS) {
    left -= one.weight;
    if (left < 0) return one;
  }
  return OPERATIONS[0];
}

interface Request {
  readonly trace: string;
  readonly id: ReturnType<typeof ids>;
  readonly next: () => number;
  readonly startMs: number;
  readonly picked: (typeof OPERATIONS)[number];
  readonly bad: boolean;
  readonly broken: boolean;
}

/** One click, down to the database. */
function request(out: Span[], { trace, id, next, startMs, picked, bad, broken }: Request): void {
  const base = 40 * picked.slow * (0.7 + next() * 0.9);
  const executor = picked.rpc === null ? 0 : base * (bad ? 9 : 3);
  const total = base + executor;
  const [click, call, server] = [id.span(), id.span(), id.span()];
  const failure = { type: "SandboxTimeout", message: "sandbox did not start within 5 s" };
  const error = broken ? { error: failure } : {};
  const common = { traceId: trace };
  const web = { ...common, service: "yc-web", resource: { "service.version": "5.2.0" } };
  const api = { ...common, service: "yc-backend-api", resource: { "service.version": "3.9.1" } };
  const [method = "GET", route = "/"] = picked.path.split(" ");
  const http = { "http.request.method": method, "http.route": route };
  out.push({ ...web, spanId: click, name: `click ${route}`, kind: 1, startMs, durationMs: total + 24, ...error });
  out.push({ ...web, spanId: call, parentSpanId: click, name: `HTTP ${method}`, kind: 3, startMs: startMs + 4, durationMs: total + 16, ...error, attributes: http });
  const status = { ...http, "http.response.status_code": broken ? 504 : 200, "user.tier": next() < 0.3 ? "pro" : "free" };
  out.push({ ...api, spanId: server, parentSpanId: call, name: picked.path, kind: 2, startMs: startMs + 9, durationMs: total + 6, ...error, attributes: status });
  let at = startMs + 12;
  const queries = 1 + Math.floor(next() * 4);
  for (let n = 0; n < queries; n++) {
    const durationMs = (base / queries) * (0.4 + next() * 0.5);
    const attributes = { "db.system.name": "postgresql", "db.query.text": "SELECT * FROM problems WHERE id = $1", "peer.service": "postgres" };
    out.push({ ...api, spanId: id.span(), parentSpanId: server, name: "SELECT problems", kind: 3, startMs: at, durationMs, attributes });
    at += durationMs + 0.3;
  }
  if (picked.rpc === null) return;
  const [client, run] = [id.span(), id.span()];
  const exec = { ...common, service: "yc-code-executor", resource: { "service.version": bad ? "2.14.0" : "2.13.6" } };
  const rpc = { "rpc.system": "grpc", "rpc.method": picked.rpc };
  out.push({ ...api, spanId: client, parentSpanId: server, name: picked.rpc, kind: 3, startMs: at, durationMs: executor, ...error, attributes: rpc });
  out.push({ ...exec, spanId: run, parentSpanId: client, name: picked.rpc, kind: 2, startMs: at + 0.8, durationMs: executor - 1.6, ...error, attributes: rpc });
  const start = id.span();
  out.push({ ...exec, spanId: start, parentSpanId: run, name: "sandbox.start", kind: 1, startMs: at + 1, durationMs: executor * 0.6, ...error, attributes: { "sandbox.image": "python:3.12", "sandbox.args": ["--net", "none"] } });
  out.push({ ...exec, spanId: id.span(), parentSpanId: run, name: "redis GET", kind: 3, startMs: at + 1 + executor * 0.6, durationMs: 1.2, attributes: { "db.system.name": "redis", "peer.service": "redis" } });
}

/** One trace of `count` spans: a tree of a hundred services, with an error now and then. */
export function largeTrace(traceId: string, count: number, startMs: number): Span[] {
  const next = random(count);
  const id = ids(count + 1);
  const out: Span[] = [];
  const durationMs = 60_000;
  for (let n = 0; n < count; n++) {
    const parent = n === 0 ? undefined : out[Math.max(0, n - 1 - Math.floor(next() * Math.min(n, 12)))];
    const offset = parent === undefined ? 0 : parent.durationMs * next() * 0.5;
    out.push({
      traceId,
      spanId: id.span(),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      service: `svc-${(n * 7919) % 100}`,
      name: `operation-${n % 37}`,
      kind: n % 3 === 0 ? 2 : 1,
      startMs: (parent?.startMs ?? startMs) + offset,
      durationMs: parent === undefined ? durationMs : Math.max(0.01, parent.durationMs * (0.2 + next() * 0.3)),
      ...(n % 997 === 996 ? { error: { type: "E", message: "failed" } } : {}),
    });
  }
  return out;
}
