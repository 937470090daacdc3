// Writes skeletons (query-api/docs/skeleton.md) of made-up traces, for tests and for the development server.

import type { Columns, Trace } from "../trace/trace.ts";

const COLUMNS: readonly (readonly [keyof Columns, string, string])[] = [
  ["parent", "parent", "u32"],
  ["depth", "depth", "u16"],
  ["start", "startNano", "f64"],
  ["duration", "durationNano", "f64"],
  ["service", "service", "u32"],
  ["operation", "operation", "u32"],
  ["flags", "flags", "u8"],
  ["spanId", "spanId", "u32"],
  ["descendants", "descendants", "u32"],
  ["children", "children", "u32"],
];

const pad = (bytes: number) => Math.ceil(bytes / 8) * 8;

/** The bytes of a trace as query-api sends them; `change` lets a test lie in the header. */
export function writeSkeleton(
  trace: Trace,
  change: (header: Record<string, unknown>) => void = () => undefined,
): ArrayBuffer {
  let offset = 0;
  const columns = COLUMNS.map(([key, name, type]) => {
    const length = trace.columns[key].byteLength;
    const column = { name, type, offset, length };
    offset += pad(length);
    return column;
  });
  const header: Record<string, unknown> = structuredClone({
    traceId: trace.traceId,
    version: trace.version || "0000000000000001",
    spans: trace.count,
    start: trace.start,
    end: (BigInt(trace.start) + BigInt(Math.round(trace.durationNano))).toString(),
    services: trace.services,
    operations: trace.operations,
    columns,
    warnings: trace.warnings,
    traceWarnings: trace.traceWarnings,
    cut: trace.cut,
    partial: trace.partial,
    cost: { objects: 2, bytes: 48_128, spans: trace.count, ms: 1.4 },
    dataFrom: "0",
  });
  change(header);
  let json = new TextEncoder().encode(JSON.stringify(header));
  const padded = pad(12 + json.length) - 12;
  json = Uint8Array.from([...json, ...new Array<number>(padded - json.length).fill(0x20)]);
  const out = new ArrayBuffer(12 + padded + offset);
  const view = new DataView(out);
  new Uint8Array(out).set(new TextEncoder().encode("YCSK"));
  view.setUint32(4, 1, true);
  view.setUint32(8, padded, true);
  new Uint8Array(out).set(json, 12);
  COLUMNS.forEach(([key], index) => {
    const array = trace.columns[key];
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    new Uint8Array(out).set(bytes, 12 + padded + (columns[index]?.offset ?? 0));
  });
  return out;
}
