// Everything that is derived from a skeleton once: self time, critical path, groups, what is broken. Large traces are
// read and derived in a worker (loader.ts); this module is what runs there.

import { type CriticalPath, criticalPath, selfTimes } from "./critical.ts";
import { errorPath, firstCause } from "./rows.ts";
import { type Groups, similarSiblings } from "./similar.ts";
import { readSkeleton } from "./skeleton.ts";
import { depthMax, isError, type Trace } from "./trace.ts";

export interface ServiceTotals {
  readonly service: number;
  readonly spans: number;
  readonly errors: number;
  readonly selfNano: number;
}

export interface Analysis {
  readonly trace: Trace;
  readonly self: Float64Array;
  readonly path: CriticalPath;
  readonly groups: Groups;
  /** Rows with errors, ascending. */
  readonly errors: Uint32Array;
  readonly onErrorPath: Uint8Array;
  readonly cause: number | null;
  readonly depth: number;
  /** By self time, largest first. */
  readonly services: readonly ServiceTotals[];
}

export function analyse(trace: Trace): Analysis {
  const self = selfTimes(trace);
  const errors: number[] = [];
  for (let row = 0; row < trace.count; row++) if (isError(trace, row)) errors.push(row);
  return {
    trace,
    self,
    path: criticalPath(trace),
    groups: similarSiblings(trace),
    errors: Uint32Array.from(errors),
    onErrorPath: errorPath(trace),
    cause: firstCause(trace),
    depth: depthMax(trace),
    services: totals(trace, self),
  };
}

export function analyseSkeleton(buffer: ArrayBuffer): Analysis {
  return analyse(readSkeleton(buffer));
}

function totals(trace: Trace, self: Float64Array): ServiceTotals[] {
  const spans = new Float64Array(trace.services.length);
  const errors = new Float64Array(trace.services.length);
  const time = new Float64Array(trace.services.length);
  for (let row = 0; row < trace.count; row++) {
    const service = trace.columns.service[row] as number;
    spans[service] = (spans[service] as number) + 1;
    if (isError(trace, row)) errors[service] = (errors[service] as number) + 1;
    time[service] = (time[service] as number) + (self[row] as number);
  }
  return trace.services
    .map((_, service) => ({
      service,
      spans: spans[service] ?? 0,
      errors: errors[service] ?? 0,
      selfNano: time[service] ?? 0,
    }))
    .filter((one) => one.spans > 0)
    .sort((a, b) => b.selfNano - a.selfNano);
}

/** Buffers that a worker may hand over instead of copying. */
export function buffersOf(analysis: Analysis): ArrayBuffer[] {
  const { path, groups } = analysis;
  const arrays = [
    ...Object.values(analysis.trace.columns),
    analysis.self,
    path.row,
    path.from,
    path.to,
    path.perRow,
    path.first,
    path.byRow,
    groups.of,
    groups.first,
    groups.members,
    analysis.errors,
    analysis.onErrorPath,
  ];
  return [...new Set(arrays.map((array: ArrayBufferView) => array.buffer as ArrayBuffer))];
}
