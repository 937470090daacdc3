// The answers of the fixture server: one invented platform with two broken services, hostile names among the healthy ones.
import type { OverviewService, TraceSummary } from "../api/wire.ts";
import { graph, red } from "./red-answers.ts";

export interface Told {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
  readonly delayMs?: number;
}

const RULE = "Broken: errors at least twice those of the compared range. Slower: p95 at least 1.5 times as long.";
const HOSTILE = "<img src=x onerror=alert(1)>\u202Egnp.exe\u0007";
const COST = { objects: 6, bytes: 41_200_000, spans: 1_914_220, ms: 38.2 };
const about = () => ({ cost: COST, partial: [], dataFrom: `${Date.now() - 14 * 86_400e3}000000` });
const ok = (body: unknown): Told => ({ status: 200, body });

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

interface Sketch {
  readonly name: string;
  readonly rate: number;
  readonly errors: number;
  readonly p95Ms: number;
  readonly was?: readonly [number, number, number];
  readonly state?: OverviewService["state"];
}

const SKETCHES: readonly Sketch[] = [
  { name: "yc-code-executor", rate: 84.2, errors: 0.0841, p95Ms: 6820, was: [86, 0.0038, 2140], state: "broken" },
  { name: "yc-backend-api", rate: 412, errors: 0.0207, p95Ms: 3910, was: [405, 0.0011, 880], state: "broken" },
  { name: "yc-web", rate: 388, errors: 0.0042, p95Ms: 4120, was: [391, 0.0018, 890], state: "slower" },
  { name: "postgres", rate: 2870, errors: 0.0001, p95Ms: 38.4, was: [1190, 0.0001, 18.2], state: "slower" },
  { name: "redis", rate: 5140, errors: 0, p95Ms: 1.31 },
  { name: "edge-proxy", rate: 640, errors: 0.0036, p95Ms: 212 },
  { name: "auth-service", rate: 226, errors: 0.0004, p95Ms: 24.1 },
  { name: "kafka", rate: 318, errors: 0, p95Ms: 6.42 },
  { name: "sandbox-runner", rate: 1010, errors: 0.0022, p95Ms: 1940 },
  { name: "object-storage", rate: 171, errors: 0.0002, p95Ms: 61.7 },
  { name: "notification-worker", rate: 0.02, errors: 0.0011, p95Ms: 320 },
  { name: "payment-api", rate: 18.6, errors: 0, p95Ms: 268 },
  { name: HOSTILE, rate: 1.2, errors: 0, p95Ms: 3 },
  {
    name: `a-service-with-a-name-${"that-does-not-end-".repeat(20)}here`,
    rate: 3,
    errors: 0.5,
    p95Ms: 12,
    was: [3, 0.5, 12],
  },
];

function wave(seed: number, level: number, points: number, rise?: { at: number; to: number }): (number | null)[] {
  const next = random(seed);
  return Array.from({ length: points }, (_, index) => {
    const base = rise && index / points > rise.at ? rise.to : level;
    return base * (0.85 + 0.3 * next());
  });
}

function service(sketch: Sketch, index: number, points: number, step: number, endMs: number): OverviewService {
  const [rate0, errors0, p950] = sketch.was ?? [sketch.rate, sketch.errors, sketch.p95Ms];
  const bad = sketch.state !== undefined;
  const calls = wave(index, sketch.rate * step, points);
  const share = wave(index + 99, errors0, points, bad ? { at: 0.46, to: sketch.errors } : undefined);
  const total = points * step;
  return {
    name: sketch.name,
    basis: "server",
    calls: Math.round(sketch.rate * total),
    errors: Math.round(sketch.rate * total * sketch.errors),
    p50Nano: sketch.p95Ms * 4e5,
    p95Nano: sketch.p95Ms * 1e6,
    p99Nano: sketch.p95Ms * 2e6,
    then: {
      calls: Math.round(rate0 * total),
      errors: Math.round(rate0 * total * errors0),
      p50Nano: p950 * 4e5,
      p95Nano: p950 * 1e6,
      p99Nano: p950 * 2e6,
    },
    series: {
      calls,
      errors: calls.map((value, at) => (value === null ? null : Math.round(value * (share[at] ?? 0)))),
      p95Nano: wave(index + 7, p950 * 1e6, points, bad ? { at: 0.46, to: sketch.p95Ms * 1e6 } : undefined),
    },
    thenSeries: {
      calls: wave(index + 5, rate0 * step, points),
      errors: wave(index + 6, rate0 * step * errors0, points),
      p95Nano: wave(index + 8, p950 * 1e6, points),
    },
    state: sketch.state ?? "usual",
    why: why(sketch, `${Math.round(endMs - points * step * 540)}000000`),
  };
}

function why(sketch: Sketch, since: string): OverviewService["why"] {
  const none = { since, error: null, version: null, waitsFor: null, follows: null };
  if (sketch.name === "yc-code-executor") {
    return {
      ...none,
      kind: "errors",
      error: {
        text: "OutOfMemory in sandbox.exec",
        type: "OutOfMemory",
        operation: "Executor/Run",
        count: 23_100,
        share: 0.94,
      },
      version: { value: "2.14.0", firstSeen: since },
    };
  }
  if (sketch.name === "yc-backend-api") {
    return {
      ...none,
      kind: "errors",
      error: { text: "502 from yc-code-executor", type: "", operation: "POST /v1/submissions", count: 9, share: 0.91 },
      follows: "yc-code-executor",
    };
  }
  if (sketch.name === "yc-web")
    return { ...none, kind: "latency", waitsFor: { service: "yc-backend-api", share: 0.98 } };
  if (sketch.state === undefined) return null;
  return { ...none, kind: "latency" };
}

function overview(query: URLSearchParams): unknown {
  const step = Number(query.get("step") ?? 60);
  const [start, end] = [Number(query.get("start")) / 1e6, Number(query.get("end")) / 1e6];
  const points = Math.max(1, Math.round((end - start) / 1000 / step));
  const services = SKETCHES.map((sketch, index) => service(sketch, index, points, step, end));
  return { ...about(), start: query.get("start"), end: query.get("end"), stepSeconds: step, rule: RULE, services };
}

const hex = (next: () => number, length: number) =>
  Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join("");

function traces(query: URLSearchParams): TraceSummary[] {
  const [start, end] = [Number(query.get("start")) / 1e6, Number(query.get("end")) / 1e6];
  const root = query.get("service") || "yc-web";
  const next = random(7);
  return Array.from({ length: 300 }, (_, index) => {
    const at = end - ((end - start) * (index + next())) / 300;
    const failed = next() < 0.3;
    const spans = 20 + Math.floor(next() * 80);
    const names = ["yc-web", "yc-backend-api", "yc-code-executor", "postgres", "redis", "auth-service"];
    return {
      traceId: hex(next, 32),
      start: `${Math.round(at)}${Math.floor(next() * 1e6)
        .toString()
        .padStart(6, "0")}`,
      durationNano: (failed ? 1.5e9 : 3e8) * (1 + next() * 6),
      rootService: root,
      rootOperation: query.get("operation") || (index % 17 === 3 ? HOSTILE : "POST /v1/submissions"),
      rootSeen: index % 29 !== 5,
      spans,
      errors: failed ? 1 + Math.floor(next() * 5) : 0,
      orphans: index % 29 === 5 ? 3 : 0,
      growing: index === 0,
      firstError: failed
        ? {
            text: index % 5 === 0 ? "deadline exceeded" : "OutOfMemory in sandbox.exec",
            service: "yc-code-executor",
            operation: "run",
          }
        : null,
      services: names.map((name, at) => ({
        name,
        spans: 1 + Math.floor((next() * spans) / (1 + at)),
        errors: failed && at === 2 ? 1 : 0,
      })),
      matched: [],
    };
  });
}

const ORDERS: Record<string, (a: TraceSummary, b: TraceSummary) => number> = {
  newest: (a, b) => Number(b.start) - Number(a.start),
  oldest: (a, b) => Number(a.start) - Number(b.start),
  longest: (a, b) => b.durationNano - a.durationNano,
  spans: (a, b) => b.spans - a.spans,
  errors: (a, b) => b.errors - a.errors,
};

function search(query: URLSearchParams): Told {
  if (query.get("service") === "nobody") {
    return ok({
      ...about(),
      traces: [],
      next: null,
      position: "p",
      searched: { from: query.get("start"), to: query.get("end") },
    });
  }
  if (query.get("minDuration") === "1h") {
    return { status: 400, body: { error: { code: 400, message: `minDuration: ${HOSTILE}`, requestId: "01JD2" } } };
  }
  const limit = Number(query.get("limit") ?? 20);
  const from = Number(query.get("page") ?? 0);
  const all = traces(query).sort(ORDERS[query.get("order") ?? "newest"]);
  const live = query.get("waitPosition") !== null;
  return {
    ...ok({
      ...about(),
      traces: live
        ? all.slice(0, 2).map((one) => ({ ...one, traceId: hex(Math.random, 32), start: `${Date.now()}000000` }))
        : all.slice(from, from + limit),
      next: !live && from + limit < all.length ? String(from + limit) : null,
      position: `p${Date.now()}`,
      searched: { from: query.get("start"), to: query.get("end") },
    }),
    delayMs: live ? 2000 : 60,
  };
}

const KEYS = [
  "http.request.method",
  "http.response.status_code",
  "http.route",
  "db.system.name",
  "error",
  "yc.language",
  "service.version",
  HOSTILE,
];

function attributes(query: URLSearchParams): unknown {
  const prefix = query.get("prefix") ?? "";
  return { ...about(), keys: KEYS.filter((key) => key.startsWith(prefix)).map((key) => ({ key, levels: ["span"] })) };
}

function values(query: URLSearchParams): unknown {
  const known: Record<string, string[]> = {
    "http.response.status_code": ["200", "404", "502"],
    "http.request.method": ["GET", "POST"],
    "yc.language": ["rust", "python", "go with spaces"],
  };
  const list = (known[query.get("key") ?? ""] ?? ["true", HOSTILE]).filter((value) =>
    value.startsWith(query.get("prefix") ?? ""),
  );
  return { ...about(), values: list.map((value, index) => ({ value, count: 1000 >> index })) };
}

const users = [
  {
    id: 1,
    login: "admin",
    name: "Ada Admin",
    email: "ada@example.org",
    role: "Admin",
    isDisabled: false,
    lastSeenAt: new Date().toISOString(),
  },
  { id: 2, login: "viv", name: HOSTILE, email: "", role: "Viewer", isDisabled: true },
];
const account = { id: 7, name: "deploys", login: "sa-deploys", role: "Editor", isDisabled: false, tokens: 1 };
const token = {
  id: 3,
  name: "ci",
  created: new Date().toISOString(),
  expiration: null,
  lastUsedAt: null,
  hasExpired: false,
};

function gateway(method: string, path: string, body: string): Told | null {
  if (path === "/login" && method === "POST") {
    const { password } = JSON.parse(body) as { password?: string };
    if (password === "admin") return ok({ message: "Logged in", redirectUrl: "/" });
    return { status: 401, body: { message: "Invalid username or password" } };
  }
  if (method !== "GET")
    return path.endsWith("/tokens")
      ? ok({ id: 9, name: "new", key: "ycsa_d0n0tuse_5ecret" })
      : ok({ message: "done", id: 9 });
  if (path === "/api/users") return ok(users);
  if (path === "/api/serviceaccounts/search") return ok({ totalCount: 1, serviceAccounts: [account] });
  if (path.endsWith("/tokens")) return ok([token]);
  return null;
}

export function answer(method: string, url: URL, body: string): Told | null {
  const { pathname: path, searchParams: query } = url;
  const empty = process.env.FIXTURE_EMPTY === "1";
  switch (path.replace("/api/yc/v1/", "")) {
    case "overview":
      return ok(empty ? { ...(overview(query) as object), services: [], dataFrom: "0" } : overview(query));
    case "graph":
      return ok(graph(query, about()));
    case "red":
      return ok(red(query, about()));
    case "search":
      return search(query);
    case "attributes":
      return ok(attributes(query));
    case "attributes/values":
      return ok(values(query));
    case "services":
      return ok({ ...about(), services: empty ? [] : SKETCHES.map(({ name }) => ({ name })) });
    case "operations":
      return ok({
        ...about(),
        operations: ["POST /v1/submissions", "GET /v1/problems", HOSTILE].map((name) => ({ name, kind: "server" })),
      });
    case "status":
      return ok({
        ...about(),
        spans: empty ? 0 : 1_914_220,
        partitions: 4,
        replaying: false,
        newest: empty ? "0" : `${Date.now() - 3000}000000`,
      });
    default:
      return path.startsWith("/api/") || path === "/login" ? gateway(method, path, body) : null;
  }
}
