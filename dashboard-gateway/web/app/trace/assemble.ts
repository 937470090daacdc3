// Builds the columns of a trace from spans in any order (uploaded files). Orphans, cycles, duplicate ids and depth are all
// legal input; every span ends up in exactly one row.

import { type Columns, type Kind, NO_PARENT, ORPHAN, packFlags, type Trace, traceTimes } from "./trace.ts";

export interface Seed {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly service: string;
  readonly operation: string;
  readonly kind: Kind;
  readonly error: boolean;
  readonly startNano: bigint;
  readonly durationNano: number;
  readonly events: boolean;
  readonly links: boolean;
  readonly warnings: boolean;
}

export interface Assembled {
  readonly trace: Trace;
  /** Index of the seed that stands in a row. */
  readonly seedOf: Uint32Array;
}

export function assemble(traceId: string, seeds: readonly Seed[]): Assembled {
  const byId = new Map<string, number>();
  seeds.forEach((seed, index) => {
    if (!byId.has(seed.spanId)) byId.set(seed.spanId, index);
  });
  const starts = seeds.map((seed) => seed.startNano);
  const order = seeds.map((_, index) => index).sort((a, b) => compare(starts[a], starts[b]) || a - b);
  const kids = new Map<number, number[]>();
  const parents = new Map<number, number>();
  const tops: number[] = [];
  for (const index of order) {
    const parent = byId.get(seeds[index]?.parentSpanId ?? "");
    if (parent === undefined || parent === index) tops.push(index);
    else {
      parents.set(index, parent);
      const list = kids.get(parent);
      if (list === undefined) kids.set(parent, [index]);
      else list.push(index);
    }
  }
  const walked = walk(seeds.length, order, tops, kids);
  return { trace: fill(traceId, seeds, walked, parents), seedOf: Uint32Array.from(walked.order) };
}

function compare(a: bigint | undefined, b: bigint | undefined): number {
  if (a === b || a === undefined || b === undefined) return 0;
  return a < b ? -1 : 1;
}

interface Walked {
  /** Seeds in waterfall order. */
  readonly order: number[];
  readonly rowOf: Int32Array;
  /** Seeds that stand at the top although they have a parent: entries into a cycle. */
  readonly cut: Set<number>;
}

function walk(
  count: number,
  byStart: readonly number[],
  tops: readonly number[],
  kids: ReadonlyMap<number, number[]>,
): Walked {
  const order: number[] = [];
  const rowOf = new Int32Array(count).fill(-1);
  const cut = new Set<number>();
  const visit = (top: number) => {
    const stack = [top];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (rowOf[index] !== -1) continue;
      rowOf[index] = order.length;
      order.push(index);
      const below = kids.get(index) ?? [];
      for (let i = below.length - 1; i >= 0; i--) stack.push(below[i] as number);
    }
  };
  for (const top of tops) visit(top);
  // What is left hangs in cycles: each is cut at its earliest span.
  for (const index of byStart) {
    if (rowOf[index] !== -1) continue;
    cut.add(index);
    visit(index);
  }
  return { order, rowOf, cut };
}

function fill(traceId: string, seeds: readonly Seed[], walked: Walked, parents: ReadonlyMap<number, number>): Trace {
  const count = seeds.length;
  const columns: Columns = {
    parent: new Uint32Array(count),
    depth: new Uint16Array(count),
    start: new Float64Array(count),
    duration: new Float64Array(count),
    service: new Uint32Array(count),
    operation: new Uint32Array(count),
    flags: new Uint8Array(count),
    spanId: new Uint32Array(count * 2),
    descendants: new Uint32Array(count),
    children: new Uint32Array(count),
  };
  const services = new Interner();
  const operations = new Interner();
  let begin = seeds[0]?.startNano ?? 0n;
  let end = begin;
  for (const seed of seeds) {
    if (seed.startNano < begin) begin = seed.startNano;
    const last = seed.startNano + BigInt(Math.max(0, Math.round(seed.durationNano)));
    if (last > end) end = last;
  }
  walked.order.forEach((index, row) => {
    const seed = seeds[index] as Seed;
    const above = parents.get(index);
    const parent = above === undefined || walked.cut.has(index) ? -1 : (walked.rowOf[above] as number);
    columns.parent[row] = parent >= 0 ? parent : seed.parentSpanId === "" ? NO_PARENT : ORPHAN;
    columns.depth[row] = parent >= 0 ? Math.min(0xffff, (columns.depth[parent] as number) + 1) : 0;
    if (parent >= 0) columns.children[parent] = (columns.children[parent] as number) + 1;
    columns.start[row] = Number(seed.startNano - begin);
    columns.duration[row] = Math.max(0, seed.durationNano);
    columns.service[row] = services.id(seed.service);
    columns.operation[row] = operations.id(seed.operation);
    columns.flags[row] = packFlags(seed);
    const id = seed.spanId.padStart(16, "0");
    columns.spanId[row * 2] = Number.parseInt(id.slice(0, 8), 16) || 0;
    columns.spanId[row * 2 + 1] = Number.parseInt(id.slice(8, 16), 16) || 0;
  });
  for (let row = count - 1; row >= 0; row--) {
    const parent = columns.parent[row] as number;
    if (parent < count) {
      columns.descendants[parent] = (columns.descendants[parent] as number) + (columns.descendants[row] as number) + 1;
    }
  }
  return {
    traceId,
    count,
    start: begin.toString(),
    ...traceTimes(begin.toString(), end.toString()),
    services: services.names,
    operations: operations.names,
    columns,
    version: "",
    warnings: seeds.filter((seed) => seed.warnings).length,
    traceWarnings: [],
    cut: null,
    partial: [],
  };
}

class Interner {
  readonly names: string[] = [];
  private readonly ids = new Map<string, number>();

  id(name: string): number {
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    this.ids.set(name, this.names.length);
    this.names.push(name);
    return this.names.length - 1;
  }
}
