// The fixture server's answers of the map and of the monitor: an invented platform in the contract's shapes.
import type { Graph, GraphEdge, GraphNode, Red, RedGroup } from "../api/wire.ts";

type About = Pick<Graph, "cost" | "partial" | "dataFrom">;

/** caller, callee, calls per second, share of errors, p95 ms, p95 ms of the compared range */
const CALLS: readonly (readonly [string, string, number, number, number, number])[] = [
  ["edge-proxy", "yc-mobile-bff", 73, 0.0009, 176, 170],
  ["edge-proxy", "yc-web", 388, 0.004, 4120, 890],
  ["yc-mobile-bff", "auth-service", 71, 0.0002, 23, 22],
  ["yc-web", "auth-service", 155, 0.0005, 24.4, 24],
  ["yc-mobile-bff", "yc-backend-api", 68, 0.001, 174, 170],
  ["yc-web", "yc-backend-api", 338, 0.024, 3980, 881],
  ["yc-web", "feature-flags", 776, 0, 2.1, 2],
  ["yc-backend-api", "yc-search", 94, 0.0006, 143, 140],
  ["yc-backend-api", "payment-api", 18.6, 0.013, 412, 268],
  ["yc-backend-api", "yc-code-executor", 84, 0.084, 6820, 2140],
  ["yc-backend-api", "kafka", 131, 0, 6.4, 6],
  ["yc-backend-api", "feature-flags", 684, 0, 2, 2],
  ["yc-backend-api", "postgres", 612, 0, 18.4, 18],
  ["yc-backend-api", "redis", 2110, 0, 1.4, 1.4],
  ["yc-code-executor", "postgres", 2010, 0.0001, 41.2, 18.2],
  ["yc-code-executor", "redis", 2420, 0, 1.3, 1.3],
  ["yc-code-executor", "sandbox-runner", 1010, 0.008, 1940, 1880],
  ["yc-code-executor", "kafka", 84, 0, 6.4, 6],
  ["yc-code-executor", "object-storage", 84, 0.0002, 61, 60],
  ["auth-service", "postgres", 18, 0, 9.1, 9],
  ["auth-service", "redis", 226, 0, 1.1, 1.1],
  ["yc-search", "postgres", 94, 0, 22, 21],
  ["payment-api", "postgres", 74, 0, 18, 18],
  ["payment-api", "card-processor", 18.9, 0.013, 391, 258],
  ["kafka", "notification-worker", 44, 0.001, 320, 300],
  ["yc-scheduler", "yc-leaderboard", 12.4, 0, 88, 80],
  ["yc-scheduler", "yc-backend-api", 6.1, 0, 92, 90],
  ["yc-leaderboard", "postgres", 61, 0, 71, 70],
];

const KINDS: Record<string, GraphNode["kind"]> = {
  postgres: "database",
  redis: "database",
  kafka: "messaging",
  "card-processor": "external",
};

/** `?size=500` of the page's own URL is not seen here: FIXTURE_NODES makes a graph of that many services. */
function calls(): typeof CALLS {
  const wanted = Number(process.env.FIXTURE_NODES ?? 0);
  if (wanted === 0) return CALLS;
  return Array.from({ length: wanted * 2 }, (_, n) => {
    const callee = 1 + ((n * 7919) % (wanted - 1));
    const caller = Math.floor(callee / (2 + (n % 5)));
    return [
      `service-${caller}`,
      `service-${callee}`,
      1 + (n % 90),
      n % 61 === 0 ? 0.05 : 0,
      5 + (n % 200),
      5 + (n % 190),
    ];
  });
}

export function graph(query: URLSearchParams, about: About): Graph {
  const seconds = (Number(query.get("end")) - Number(query.get("start"))) / 1e9;
  const edges: GraphEdge[] = calls().map(([caller, callee, rate, errors, p95, was]) => ({
    caller,
    callee,
    calls: Math.round(rate * seconds),
    errors: Math.round(rate * seconds * errors),
    p50Nano: p95 * 3e5,
    p95Nano: p95 * 1e6,
    then: { calls: Math.round(rate * seconds), errors: 0, p50Nano: was * 3e5, p95Nano: was * 1e6 },
  }));
  const names = [...new Set(edges.flatMap((edge) => [edge.caller, edge.callee]))];
  const nodes = names.map((service) => {
    const into = edges.filter((edge) => edge.callee === service);
    const sum = (value: (edge: GraphEdge) => number) => into.reduce((total, edge) => total + value(edge), 0);
    return {
      service,
      calls: sum((edge) => edge.calls) || Math.round(12.4 * seconds),
      errors: sum((edge) => edge.errors),
      p95Nano: into[0]?.p95Nano ?? null,
      kind: KINDS[service] ?? ("service" as const),
    };
  });
  return { ...about, nodes, edges };
}

const OPERATIONS: readonly (readonly [string, number, number, number])[] = [
  ["executor.v1.Executor/Run", 62.1, 0.112, 7140],
  ["executor.v1.Executor/RunBatch", 4.2, 0.068, 9820],
  ["executor.v1.Executor/Compile", 9.8, 0.003, 1180],
  ["executor.v1.Executor/Warm", 2.1, 0, 520],
  ["executor.v1.Cases/Fetch", 62.3, 0.0002, 92],
  ["executor.v1.Slots/Acquire", 66.4, 0, 442],
  ["grpc.health.v1.Health/Check", 1.2, 0, 0.61],
  ["<script>alert(1)</script>", 0.01, 0, 81],
];

export function red(query: URLSearchParams, about: About): Red {
  const step = Number(query.get("step") ?? 60);
  const [start, end] = [Number(query.get("start")) / 1e9, Number(query.get("end")) / 1e9];
  const points = Math.max(1, Math.round((end - start) / step));
  // the compared range lies further back than a range of this length that ends now
  const today = Date.now() / 1000 - end < 3600;
  const service = query.get("service") ?? "";
  const byOperation = query.get("groupBy") === "operation";
  const rows = byOperation ? OPERATIONS : [["", 84.2, 0.084, 6820] as const];
  const groups = rows.map(([operation, rate, errors, p95], row): RedGroup => {
    const at = (n: number) => (today && n / points > 0.46 ? 1 : 0.31);
    const noise = (n: number) => 0.93 + 0.14 * Math.abs(Math.sin(n * 1.7 + row) * Math.cos(n * 0.37 + row * 3));
    const gap = (n: number) => today && !byOperation && n > points * 0.24 && n < points * 0.3;
    const wave = (value: (n: number) => number) =>
      Array.from({ length: points }, (_, n) => (gap(n) ? null : value(n) * noise(n)));
    const p = (share: number) => wave((n) => p95 * 1e6 * share * at(n));
    const total = rate * points * step;
    const now = today ? 1 : 0.31;
    return {
      service,
      operation,
      kind: "server",
      calls: Math.round(total),
      errors: Math.round(total * errors * (today ? 1 : 0.04)),
      totalNano: total * p95 * 4e5 * now,
      p50Nano: p95 * 1.3e5 * now,
      p75Nano: p95 * 4e5 * now,
      p95Nano: p95 * 1e6 * now,
      p99Nano: p95 * 2e6 * now,
      series: {
        calls: wave(() => rate * step),
        errors: wave((n) => rate * step * errors * (at(n) === 1 ? 1.5 : 0.04)),
        p50Nano: p(0.13),
        p75Nano: p(0.4),
        p95Nano: p(1),
      },
    };
  });
  return { ...about, start: query.get("start") ?? "0", end: query.get("end") ?? "0", stepSeconds: step, groups };
}
