// Where the services of the map stand: layers from left to right by call depth, crossings reduced, long edges led through
// lanes between the nodes. Pure: names and edges in, coordinates out. After Sugiyama, Tagawa and Toda, "Methods for Visual
// Understanding of Hierarchical System Structures" (1981); cycles are cut as Eades, Lin and Smyth do (1993).

export interface LayoutEdge {
  readonly caller: string;
  readonly callee: string;
}

export interface Sizes {
  /** Width of a node. */
  readonly node: number;
  /** Room between two columns. */
  readonly gap: number;
  /** Height of one incoming edge at a node. */
  readonly port: number;
  /** Least height of a node. */
  readonly height: number;
  /** Room between two nodes of a column. */
  readonly space: number;
}

export interface PlacedNode {
  readonly name: string;
  readonly layer: number;
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

export interface PlacedEdge {
  /** Index into the edges that were given. */
  readonly edge: number;
  /** Points that the line passes: from the caller's side, through lanes, to the callee's port. */
  readonly points: readonly (readonly [number, number])[];
  /** The line runs against the direction of the layers. */
  readonly back: boolean;
}

export interface Layout {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** A node, or a lane through which a long edge passes a column. */
interface Cell {
  readonly node: number;
  readonly layer: number;
  readonly height: number;
  readonly left: Cell[];
  readonly right: Cell[];
  order: number;
  y: number;
}

const LANE_HEIGHT = 10;
const SWEEPS = 10;

export function layOut(names: readonly string[], edges: readonly LayoutEdge[], sizes: Sizes): Layout {
  const index = new Map(names.map((name, at) => [name, at]));
  const links = edges
    .map((edge, at) => ({ at, from: index.get(edge.caller) ?? -1, to: index.get(edge.callee) ?? -1 }))
    .filter((link) => link.from >= 0 && link.to >= 0);
  const forward = links.filter((link) => link.from !== link.to);
  const rank = cutCycles(names.length, forward);
  const layers = layerOf(names.length, forward, rank);
  const incoming = new Array<number>(names.length).fill(0);
  for (const link of links) incoming[link.to] = (incoming[link.to] ?? 0) + 1;

  const cells: Cell[] = names.map((_, node) => ({
    node,
    layer: layers[node] ?? 0,
    height: Math.max(sizes.height, (incoming[node] ?? 0) * sizes.port + 4),
    left: [],
    right: [],
    order: 0,
    y: 0,
  }));
  const lanes = new Map<number, Cell[]>();
  for (const link of forward) lanes.set(link.at, threadThrough(cells, link.from, link.to));
  const columns = columnsOf(cells);
  order(columns);
  place(columns, sizes.space);

  const pitch = sizes.node + sizes.gap;
  const nodes = names.map((name, node) => {
    const cell = cells[node] as Cell;
    return { name, layer: cell.layer, x: cell.layer * pitch, y: cell.y - cell.height / 2, height: cell.height };
  });
  const placed = route(links, lanes, nodes, cells, sizes);
  const height = Math.max(0, ...nodes.map((node) => node.y + node.height));
  return { nodes, edges: placed, width: columns.length * pitch - sizes.gap, height };
}

interface Link {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Ranks that make most edges run upwards: sinks last, sources first, else the node with the most outgoing surplus. */
function cutCycles(count: number, links: readonly Link[]): number[] {
  const out = Array.from({ length: count }, () => [] as number[]);
  const into = Array.from({ length: count }, () => [] as number[]);
  for (const link of links) {
    out[link.from]?.push(link.to);
    into[link.to]?.push(link.from);
  }
  const outs = out.map((list) => list.length);
  const ins = into.map((list) => list.length);
  const rank = new Array<number>(count).fill(-1);
  let first = 0;
  let last = count - 1;
  const waiting = new Set(Array.from({ length: count }, (_, node) => node));
  const take = (node: number, at: number) => {
    rank[node] = at;
    waiting.delete(node);
    for (const to of out[node] ?? []) ins[to] = (ins[to] ?? 0) - 1;
    for (const from of into[node] ?? []) outs[from] = (outs[from] ?? 0) - 1;
  };
  while (waiting.size > 0) {
    let moved = false;
    for (const node of [...waiting]) {
      if (!waiting.has(node)) continue;
      if (outs[node] === 0) take(node, last--);
      else if (ins[node] === 0) take(node, first++);
      else continue;
      moved = true;
    }
    if (moved) continue;
    let best = -1;
    let surplus = Number.NEGATIVE_INFINITY;
    for (const node of waiting) {
      const held = (outs[node] ?? 0) - (ins[node] ?? 0);
      if (held > surplus) [best, surplus] = [node, held];
    }
    take(best, first++);
  }
  return rank;
}

/** Longest path from the left; a service that nobody calls stands right before the first one that it calls. */
function layerOf(count: number, links: readonly Link[], rank: readonly number[]): number[] {
  const upward = links.map((link) =>
    (rank[link.from] ?? 0) < (rank[link.to] ?? 0) ? link : { at: link.at, from: link.to, to: link.from },
  );
  const out = Array.from({ length: count }, () => [] as number[]);
  const called = new Array<boolean>(count).fill(false);
  for (const link of upward) {
    out[link.from]?.push(link.to);
    called[link.to] = true;
  }
  const byRank = Array.from({ length: count }, (_, node) => node).sort((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0));
  const layers = new Array<number>(count).fill(0);
  for (const node of byRank) {
    for (const to of out[node] ?? []) layers[to] = Math.max(layers[to] ?? 0, (layers[node] ?? 0) + 1);
  }
  for (const node of byRank) {
    const next = (out[node] ?? []).map((to) => layers[to] ?? 0);
    if (!called[node] && next.length > 0) layers[node] = Math.max(0, Math.min(...next) - 1);
  }
  return layers;
}

/** Adds a lane in each column between two nodes and answers the way from left to right. */
function threadThrough(cells: Cell[], from: number, to: number): Cell[] {
  const [a, b] = [cells[from] as Cell, cells[to] as Cell];
  const [left, right] = a.layer <= b.layer ? [a, b] : [b, a];
  const way = [left];
  for (let layer = left.layer + 1; layer < right.layer; layer++) {
    const lane: Cell = { node: -1, layer, height: LANE_HEIGHT, left: [], right: [], order: 0, y: 0 };
    cells.push(lane);
    way.push(lane);
  }
  way.push(right);
  way.forEach((cell, at) => {
    const next = way[at + 1];
    if (next === undefined || next.layer === cell.layer) return;
    cell.right.push(next);
    next.left.push(cell);
  });
  return way;
}

function columnsOf(cells: readonly Cell[]): Cell[][] {
  const columns: Cell[][] = [];
  for (const cell of cells) {
    while (columns.length <= cell.layer) columns.push([]);
    columns[cell.layer]?.push(cell);
  }
  return columns;
}

/** Barycentre sweeps, to and fro; the order with the fewest crossings is kept. */
function order(columns: Cell[][]): void {
  for (const column of columns) number(column);
  let best = Number.POSITIVE_INFINITY;
  let kept: Cell[][] = columns.map((column) => [...column]);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const toRight = sweep % 2 === 0;
    const list = toRight ? columns.slice(1) : columns.slice(0, -1).reverse();
    for (const column of list) {
      const weight = new Map(column.map((cell) => [cell, middle(toRight ? cell.left : cell.right, cell.order)]));
      column.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0) || a.order - b.order);
      number(column);
    }
    const crossed = columns.reduce((sum, column) => sum + crossings(column), 0);
    if (crossed < best) {
      best = crossed;
      kept = columns.map((column) => [...column]);
    }
    if (best === 0) break;
  }
  kept.forEach((column, at) => {
    columns[at] = column;
    number(column);
  });
}

function number(column: readonly Cell[]): void {
  column.forEach((cell, at) => {
    cell.order = at;
  });
}

function middle(neighbours: readonly Cell[], otherwise: number): number {
  if (neighbours.length === 0) return otherwise;
  return neighbours.reduce((sum, cell) => sum + cell.order, 0) / neighbours.length;
}

/** Crossings between a column and the next: inversions, counted with a Fenwick tree. */
function crossings(column: readonly Cell[]): number {
  const ends: number[] = [];
  for (const cell of column) ends.push(...cell.right.map((next) => next.order).sort((a, b) => a - b));
  const size = ends.reduce((most, at) => Math.max(most, at + 1), 0);
  const tree = new Array<number>(size + 1).fill(0);
  let total = 0;
  ends.forEach((end, seen) => {
    let below = 0;
    for (let at = end + 1; at > 0; at -= at & -at) below += tree[at] ?? 0;
    total += seen - below;
    for (let at = end + 1; at <= size; at += at & -at) tree[at] = (tree[at] ?? 0) + 1;
  });
  return total;
}

/** Gives each cell the height that its neighbours ask for, as near as the order and the room allow. */
function place(columns: readonly Cell[][], space: number): void {
  for (const column of columns) {
    let top = 0;
    for (const cell of column) {
      cell.y = top + cell.height / 2;
      top += cell.height + room(cell, space);
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const toRight = sweep % 2 === 0;
    for (const column of toRight ? columns : [...columns].reverse()) {
      const wanted = column.map((cell) => {
        const neighbours = [...cell.left, ...cell.right];
        return neighbours.length === 0 ? cell.y : neighbours.reduce((sum, one) => sum + one.y, 0) / neighbours.length;
      });
      settle(column, wanted, space);
    }
  }
  const top = Math.min(0, ...columns.flat().map((cell) => cell.y - cell.height / 2));
  for (const cell of columns.flat()) cell.y -= top;
}

function room(cell: Cell, space: number): number {
  return cell.node < 0 ? LANE_HEIGHT / 2 : space;
}

interface Block {
  readonly cells: Cell[];
  /** Distance of each cell's centre from the block's start. */
  readonly offsets: number[];
  /** What the block's start would be if each cell had its wish: the mean. */
  sum: number;
  length: number;
}

/** Least squares under "no overlap": neighbours that would overlap become one block at the mean of their wishes. */
function settle(column: readonly Cell[], wanted: readonly number[], space: number): void {
  const blocks: Block[] = [];
  column.forEach((cell, at) => {
    const size = cell.height + room(cell, space);
    blocks.push({ cells: [cell], offsets: [cell.height / 2], sum: (wanted[at] ?? 0) - cell.height / 2, length: size });
    for (
      let last = blocks.at(-1), before = blocks.at(-2);
      last && before;
      last = blocks.at(-1), before = blocks.at(-2)
    ) {
      if (start(before) + before.length <= start(last)) break;
      const shift = before.length;
      before.sum += last.sum - shift * last.cells.length;
      before.cells.push(...last.cells);
      before.offsets.push(...last.offsets.map((offset) => offset + shift));
      before.length += last.length;
      blocks.pop();
    }
  });
  for (const block of blocks) {
    const from = start(block);
    block.cells.forEach((cell, at) => {
      cell.y = from + (block.offsets[at] ?? 0);
    });
  }
}

function start(block: Block): number {
  return block.sum / block.cells.length;
}

function route(
  links: readonly Link[],
  lanes: ReadonlyMap<number, Cell[]>,
  nodes: readonly PlacedNode[],
  cells: readonly Cell[],
  sizes: Sizes,
): PlacedEdge[] {
  const ports = portsOf(links, cells);
  const pitch = sizes.node + sizes.gap;
  return links.flatMap((link) => {
    const [from, to] = [nodes[link.from], nodes[link.to]];
    const port = ports.get(link.at);
    if (from === undefined || to === undefined || port === undefined) return [];
    const spread = Math.min(sizes.port, (to.height - 4) / port.of);
    const y = to.y + to.height / 2 + (port.slot - (port.of - 1) / 2) * spread;
    const back = from.layer >= to.layer;
    const way = lanes.get(link.at) ?? [];
    const between = (back ? [...way].reverse() : way).slice(1, -1);
    const passed = between.flatMap((lane): [number, number][] => {
      const ends: [number, number][] = [
        [lane.layer * pitch, lane.y],
        [lane.layer * pitch + sizes.node, lane.y],
      ];
      return back ? ends.reverse() : ends;
    });
    const points: [number, number][] = [[from.x + sizes.node, from.y + from.height / 2], ...passed, [to.x, y]];
    return [{ edge: link.at, points, back }];
  });
}

/** Which of a node's incoming edges is drawn at which port: by the height that it comes from. */
function portsOf(links: readonly Link[], cells: readonly Cell[]): Map<number, { slot: number; of: number }> {
  const arriving = new Map<number, Link[]>();
  for (const link of links) {
    const held = arriving.get(link.to);
    if (held) held.push(link);
    else arriving.set(link.to, [link]);
  }
  const out = new Map<number, { slot: number; of: number }>();
  for (const list of arriving.values()) {
    list.sort((a, b) => (cells[a.from]?.y ?? 0) - (cells[b.from]?.y ?? 0) || a.at - b.at);
    list.forEach((link, slot) => {
      out.set(link.at, { slot, of: list.length });
    });
  }
  return out;
}

/** The part of the graph within `depth` calls of `focus`, up and down. */
export function around(edges: readonly LayoutEdge[], focus: string, depth: number): Set<string> {
  const seen = new Set([focus]);
  for (const side of ["callee", "caller"] as const) {
    const other = side === "callee" ? "caller" : "callee";
    let edge = new Set([focus]);
    const reached = new Set([focus]);
    for (let step = 0; step < depth && edge.size > 0; step++) {
      const next = new Set<string>();
      for (const one of edges) {
        if (edge.has(one[other]) && !reached.has(one[side])) next.add(one[side]);
      }
      for (const name of next) {
        reached.add(name);
        seen.add(name);
      }
      edge = next;
    }
  }
  return seen;
}
