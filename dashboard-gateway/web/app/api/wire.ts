// The shapes of `/api/yc/v1` (query-api). Times are decimal strings of nanoseconds, durations numbers of nanoseconds.

export interface Cost {
  readonly objects: number;
  readonly bytes: number;
  readonly spans: number;
  readonly ms: number;
}

export interface Missing {
  readonly partition: string;
  readonly reason: string;
}

/** What every answer says about itself. */
export interface Answer {
  readonly cost: Cost;
  readonly partial: readonly Missing[];
  /** Start of the oldest data held, "0" when none. */
  readonly dataFrom: string;
}

type Points = readonly (number | null)[];

export interface OverviewSeries {
  readonly calls: Points;
  readonly errors: Points;
  readonly p95Nano: Points;
}

export interface OverviewNumbers {
  readonly calls: number;
  readonly errors: number;
  readonly p50Nano: number | null;
  readonly p95Nano: number | null;
  readonly p99Nano: number | null;
}

export interface Why {
  readonly since: string | null;
  readonly kind: "errors" | "latency" | "silent";
  readonly error: { text: string; type: string; operation: string; count: number; share: number } | null;
  readonly version: { value: string; firstSeen: string } | null;
  readonly waitsFor: { service: string; share: number } | null;
  readonly follows: string | null;
}

export interface OverviewService extends OverviewNumbers {
  readonly name: string;
  readonly basis?: "server" | "all";
  readonly then: OverviewNumbers | null;
  readonly series: OverviewSeries;
  readonly thenSeries: OverviewSeries | null;
  readonly state: "broken" | "slower" | "usual";
  readonly why: Why | null;
}

export interface Overview extends Answer {
  /** When a service is broken or slower, in the words of the server that judged it. */
  readonly rule: string;
  readonly start: string;
  readonly end: string;
  readonly stepSeconds: number;
  readonly services: readonly OverviewService[];
}

export interface RedGroup {
  readonly service: string;
  readonly operation: string;
  readonly kind: string;
  readonly calls: number;
  readonly errors: number;
  readonly totalNano: number;
  readonly p50Nano: number | null;
  readonly p75Nano: number | null;
  readonly p95Nano: number | null;
  readonly p99Nano: number | null;
  readonly series: {
    readonly calls: Points;
    readonly errors: Points;
    readonly p50Nano: Points;
    readonly p75Nano: Points;
    readonly p95Nano: Points;
  };
}

export interface Red extends Answer {
  readonly start: string;
  readonly end: string;
  readonly stepSeconds: number;
  readonly groups: readonly RedGroup[];
}

export type NodeKind = "service" | "database" | "messaging" | "external";

export interface GraphNode {
  readonly service: string;
  readonly calls: number;
  readonly errors: number;
  readonly p95Nano: number | null;
  readonly kind: NodeKind;
}

export interface EdgeNumbers {
  readonly calls: number;
  readonly errors: number;
  readonly p50Nano: number | null;
  readonly p95Nano: number | null;
}

export interface GraphEdge extends EdgeNumbers {
  readonly caller: string;
  readonly callee: string;
  readonly then: EdgeNumbers | null;
}

export interface Graph extends Answer {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface TraceSummary {
  readonly traceId: string;
  readonly start: string;
  readonly durationNano: number;
  readonly rootService: string;
  readonly rootOperation: string;
  readonly rootSeen: boolean;
  readonly spans: number;
  readonly errors: number;
  readonly orphans: number;
  readonly growing: boolean;
  readonly firstError: { text: string; service: string; operation: string } | null;
  readonly services: readonly { name: string; spans: number; errors: number }[];
  readonly matched: readonly string[];
}

export interface SearchAnswer extends Answer {
  readonly traces: readonly TraceSummary[];
  readonly next: string | null;
  readonly position: string;
  readonly searched: { readonly from: string; readonly to: string };
}

export interface Status extends Answer {
  readonly spans: number;
  readonly partitions: number;
  readonly replaying: boolean;
  readonly newest: string;
}
