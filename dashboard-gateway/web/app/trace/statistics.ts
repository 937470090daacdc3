// Statistics: spans grouped by anything that has a key, with total and self time.

import { isError, type Trace } from "./trace.ts";

export interface Extremes {
  readonly total: number;
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

export interface Statistic {
  readonly key: string;
  /** The service when all members have the same, for the swatch. */
  readonly service: string | null;
  readonly count: number;
  readonly errors: number;
  readonly duration: Extremes;
  readonly self: Extremes;
  /** Self time of the group over the self time of all. */
  readonly share: number;
  /** Time on the critical path. */
  readonly critical: number;
  readonly rows: readonly number[];
}

/** What a span is grouped by: a number that is the same for all of a group, and its name. */
export interface Grouping {
  readonly keyOf: (row: number) => number;
  readonly nameOf: (key: number) => string;
}

export function byService(trace: Trace): Grouping {
  return { keyOf: (row) => trace.columns.service[row] ?? 0, nameOf: (key) => trace.services[key] ?? "" };
}

export function byOperation(trace: Trace): Grouping {
  return { keyOf: (row) => trace.columns.operation[row] ?? 0, nameOf: (key) => trace.operations[key] ?? "" };
}

export function byServiceAndOperation(trace: Trace): Grouping {
  const width = trace.operations.length;
  return {
    keyOf: (row) => (trace.columns.service[row] ?? 0) * width + (trace.columns.operation[row] ?? 0),
    nameOf: (key) => trace.operations[key % width] ?? "",
  };
}

/** By a value that is looked up per row (an attribute); rows without one fall into `missing`. */
export function byValue(textOf: (row: number) => string | null, missing: string): Grouping {
  const ids = new Map<string, number>();
  const names: string[] = [];
  return {
    keyOf: (row) => {
      const value = textOf(row) ?? missing;
      const known = ids.get(value);
      if (known !== undefined) return known;
      ids.set(value, names.length);
      names.push(value);
      return names.length - 1;
    },
    nameOf: (key) => names[key] ?? "",
  };
}

class Sum {
  count = 0;
  errors = 0;
  total = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;
  self = 0;
  selfMin = Number.POSITIVE_INFINITY;
  selfMax = 0;
  critical = 0;
  service = -1;
  readonly rows: number[] = [];
}

export interface Measures {
  readonly self: Float64Array;
  readonly critical: Float64Array;
}

export function statistics(trace: Trace, measures: Measures, grouping: Grouping, rows?: Iterable<number>): Statistic[] {
  const sums = new Map<number, Sum>();
  let selfAll = 0;
  const { duration, service } = trace.columns;
  for (const row of rows ?? allRows(trace)) {
    const key = grouping.keyOf(row);
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = new Sum();
      sum.service = service[row] ?? -1;
      sums.set(key, sum);
    }
    const took = duration[row] ?? 0;
    const self = measures.self[row] ?? 0;
    sum.count += 1;
    if (isError(trace, row)) sum.errors += 1;
    sum.total += took;
    sum.min = Math.min(sum.min, took);
    sum.max = Math.max(sum.max, took);
    sum.self += self;
    sum.selfMin = Math.min(sum.selfMin, self);
    sum.selfMax = Math.max(sum.selfMax, self);
    sum.critical += measures.critical[row] ?? 0;
    if (sum.service !== service[row]) sum.service = -1;
    sum.rows.push(row);
    selfAll += self;
  }
  const out: Statistic[] = [];
  for (const [key, sum] of sums) out.push(finished(trace, grouping.nameOf(key), sum, selfAll));
  return out.sort((a, b) => b.self.total - a.self.total || b.count - a.count);
}

function finished(trace: Trace, key: string, sum: Sum, selfAll: number): Statistic {
  return {
    key,
    service: sum.service < 0 ? null : (trace.services[sum.service] ?? null),
    count: sum.count,
    errors: sum.errors,
    duration: { total: sum.total, avg: sum.total / sum.count, min: sum.min, max: sum.max },
    self: { total: sum.self, avg: sum.self / sum.count, min: sum.selfMin, max: sum.selfMax },
    share: selfAll > 0 ? sum.self / selfAll : 0,
    critical: sum.critical,
    rows: sum.rows,
  };
}

function* allRows(trace: Trace): Generator<number> {
  for (let row = 0; row < trace.count; row++) yield row;
}
