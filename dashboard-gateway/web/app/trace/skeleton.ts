// Reader of the binary skeleton (query-api/docs/skeleton.md). Columns are views on the answer's buffer: nothing is copied.
// The bytes are not trusted: whatever the drawing code indexes with is checked here once, so that it needs no checks later.

import { type Columns, type Cut, ORPHAN, type PartialAnswer, type Trace, traceTimes } from "./trace.ts";

const MAGIC = 0x4b534359; // "YCSK", read as a little-endian word
const VERSION = 1;
const PREFIX_BYTES = 12;
const ALIGNMENT = 8;

/** Why a buffer is not a skeleton. */
export class SkeletonError extends Error {
  override readonly name = "SkeletonError";
}

interface RawHeader {
  readonly traceId: string;
  readonly spans: number;
  readonly start: string;
  readonly end: string;
  readonly services: readonly string[];
  readonly operations: readonly string[];
  readonly columns: ReadonlyMap<string, Extent>;
  readonly version: string;
  readonly warnings: number;
  readonly traceWarnings: readonly string[];
  readonly cut: Cut | null;
  readonly partial: readonly PartialAnswer[];
}

interface Extent {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
}

/** Reads a skeleton. @throws SkeletonError with what was expected and what was found. */
export function readSkeleton(buffer: ArrayBuffer): Trace {
  if (buffer.byteLength < PREFIX_BYTES) throw new SkeletonError(`${buffer.byteLength} bytes are too few for a header`);
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new SkeletonError("the answer is not a trace skeleton (magic differs)");
  const version = view.getUint32(4, true);
  if (version !== VERSION) throw new SkeletonError(`skeleton version ${version}, this page reads ${VERSION}`);
  const headerBytes = view.getUint32(8, true);
  if (headerBytes > buffer.byteLength - PREFIX_BYTES) {
    throw new SkeletonError(`header of ${headerBytes} bytes in an answer of ${buffer.byteLength}`);
  }
  const header = readHeader(new Uint8Array(buffer, PREFIX_BYTES, headerBytes));
  const base = PREFIX_BYTES + headerBytes;
  if (base % ALIGNMENT !== 0) throw new SkeletonError(`columns begin at ${base}, which is no multiple of ${ALIGNMENT}`);
  const columns = readColumns(buffer, base, header);
  checkTree(columns, header);
  return {
    traceId: header.traceId,
    count: header.spans,
    start: header.start,
    ...traceTimes(header.start, header.end),
    services: header.services,
    operations: header.operations,
    columns,
    version: header.version,
    warnings: header.warnings,
    traceWarnings: header.traceWarnings,
    cut: header.cut,
    partial: header.partial,
  };
}

function readHeader(bytes: Uint8Array): RawHeader {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new SkeletonError("the header is not JSON", { cause });
  }
  const raw = record(json, "header");
  const columns = new Map<string, Extent>();
  for (const entry of list(raw["columns"], "columns")) {
    const column = record(entry, "column");
    columns.set(text(column["name"], "column name"), {
      type: text(column["type"], "column type"),
      offset: whole(column["offset"], "column offset"),
      length: whole(column["length"], "column length"),
    });
  }
  return {
    traceId: text(raw["traceId"], "traceId"),
    spans: whole(raw["spans"], "spans"),
    start: nanos(raw["start"], "start"),
    end: nanos(raw["end"], "end"),
    services: list(raw["services"], "services").map((name) => text(name, "service")),
    operations: list(raw["operations"], "operations").map((name) => text(name, "operation")),
    columns,
    version: typeof raw["version"] === "string" ? raw["version"] : "",
    traceWarnings: Array.isArray(raw["traceWarnings"]) ? raw["traceWarnings"].map(String) : [],
    warnings: typeof raw["warnings"] === "number" ? raw["warnings"] : 0,
    cut: cutOf(raw["cut"]),
    partial: Array.isArray(raw["partial"]) ? raw["partial"].map(partialOf) : [],
  };
}

function cutOf(value: unknown): Cut | null {
  if (value === null || value === undefined) return null;
  const raw = record(value, "cut");
  return { limit: Number(raw["limit"]) || 0, found: Number(raw["found"]) || 0 };
}

function partialOf(value: unknown): PartialAnswer {
  const raw = record(value, "partial");
  return { partition: String(raw["partition"] ?? ""), reason: String(raw["reason"] ?? "") };
}

interface ViewOf {
  new (buffer: ArrayBuffer, offset: number, length: number): Uint8Array | Uint16Array | Uint32Array | Float64Array;
  readonly BYTES_PER_ELEMENT: number;
}

function readColumns(buffer: ArrayBuffer, base: number, header: RawHeader): Columns {
  const take = <C extends ViewOf>(name: string, type: string, View: C, perRow = 1): InstanceType<C> => {
    const extent = header.columns.get(name);
    if (extent === undefined) throw new SkeletonError(`column ${name} is missing`);
    if (extent.type !== type) throw new SkeletonError(`column ${name} is ${extent.type}, expected ${type}`);
    const length = header.spans * perRow;
    const bytes = length * View.BYTES_PER_ELEMENT;
    if (extent.length !== bytes)
      throw new SkeletonError(`column ${name} holds ${extent.length} bytes, expected ${bytes}`);
    const offset = base + extent.offset;
    if (extent.offset % ALIGNMENT !== 0 || offset + bytes > buffer.byteLength) {
      throw new SkeletonError(`column ${name} at ${offset}+${bytes} in an answer of ${buffer.byteLength} bytes`);
    }
    return new View(buffer, offset, length) as InstanceType<C>;
  };
  return {
    parent: take("parent", "u32", Uint32Array),
    depth: take("depth", "u16", Uint16Array),
    start: take("startNano", "f64", Float64Array),
    duration: take("durationNano", "f64", Float64Array),
    service: take("service", "u32", Uint32Array),
    operation: take("operation", "u32", Uint32Array),
    flags: take("flags", "u8", Uint8Array),
    spanId: take("spanId", "u32", Uint32Array, 2),
    descendants: take("descendants", "u32", Uint32Array),
    children: take("children", "u32", Uint32Array),
  };
}

/** One pass: parents stand before their children, subtrees nest, indices and times are in range, child counts are true. */
function checkTree(columns: Columns, header: RawHeader): void {
  const count = header.spans;
  const counted = new Uint32Array(count);
  for (let row = 0; row < count; row++) {
    const parent = columns.parent[row] as number;
    const last = row + (columns.descendants[row] as number);
    if (last >= count) throw new SkeletonError(`row ${row}: descendants reach row ${last} of ${count}`);
    if (parent < ORPHAN) {
      if (parent >= row) throw new SkeletonError(`row ${row}: parent ${parent} does not stand before it`);
      if (last > parent + (columns.descendants[parent] as number)) {
        throw new SkeletonError(`row ${row}: subtree reaches beyond its parent's (row ${parent})`);
      }
      counted[parent] = (counted[parent] as number) + 1;
    }
    const before = row === 0 ? -1 : row - 1;
    if (before >= 0 && (columns.descendants[before] as number) > 0 && parent !== before) {
      throw new SkeletonError(`row ${row}: the row before has descendants but is not its parent`);
    }
    if ((columns.service[row] as number) >= header.services.length)
      throw new SkeletonError(`row ${row}: unknown service`);
    if ((columns.operation[row] as number) >= header.operations.length) {
      throw new SkeletonError(`row ${row}: unknown operation`);
    }
    const end = (columns.start[row] as number) + (columns.duration[row] as number);
    if (!Number.isFinite(end) || (columns.duration[row] as number) < 0)
      throw new SkeletonError(`row ${row}: time ${end}`);
  }
  for (let row = 0; row < count; row++) {
    if (counted[row] !== columns.children[row]) {
      throw new SkeletonError(`row ${row}: ${columns.children[row]} children told, ${counted[row]} found`);
    }
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SkeletonError(`${what} is no object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new SkeletonError(`${what} is no list`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw new SkeletonError(`${what} is no text`);
  return value;
}

function whole(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new SkeletonError(`${what} is no count`);
  return value;
}

function nanos(value: unknown, what: string): string {
  const digits = text(value, what);
  if (!/^\d{1,20}$/.test(digits)) throw new SkeletonError(`${what} is no time`);
  return digits;
}
