// Draws the edges of the map on one canvas: lines by rate, their numbers in columns before the arrow. Framework-free.
import { type Ink, ink } from "../../canvas/ink.ts";
import { createSurface, type Surface } from "../../canvas/surface.ts";
import type { Layout, PlacedEdge, PlacedNode } from "./layout.ts";
import { type Edge, widthOf } from "./model.ts";

export interface Scene {
  readonly layout: Layout;
  readonly edges: readonly Edge[];
  /** Edges that are in focus; the others are dimmed. Null: all are. */
  readonly lit: ReadonlySet<string> | null;
  readonly selected: string | null;
  /** Whether an edge carries its numbers. */
  readonly labelled: (edge: Edge) => boolean;
  /** Room for the numbers before an arrow; 0 draws none. */
  readonly labelWidth: number;
  readonly scale: number;
}

export interface EdgeCanvas {
  show(scene: Scene): void;
  scrollTo(left: number, top: number): void;
  /** The edge whose numbers or arrow are at a point of the scene, in pixels of the page. */
  at(x: number, y: number): Edge | null;
  dispose(): void;
}

const DIM = 0.25;
const PADDING = 8;

export function createEdgeCanvas(canvas: HTMLCanvasElement): EdgeCanvas {
  let scene: Scene | null = null;
  let scroll: readonly [number, number] = [0, 0];
  const surface: Surface = createSurface(canvas, (context, width, height) => {
    if (scene === null) return;
    const { scale } = scene;
    context.translate(-scroll[0], -scroll[1]);
    context.scale(scale, scale);
    const view = { left: scroll[0] / scale, top: scroll[1] / scale, width: width / scale, height: height / scale };
    paint(context, scene, view);
  });
  return {
    show(next) {
      scene = next;
      surface.invalidate();
    },
    scrollTo(left, top) {
      scroll = [left, top];
      surface.invalidate();
    },
    at(x, y) {
      if (scene === null) return null;
      const [px, py] = [x / scene.scale, y / scene.scale];
      for (const placed of scene.layout.edges) {
        const end = placed.points.at(-1);
        if (end === undefined) continue;
        const reach = Math.max(scene.labelWidth, 40);
        if (px >= end[0] - reach && px <= end[0] && py >= end[1] - 13 && py <= end[1] + 4) {
          return scene.edges[placed.edge] ?? null;
        }
      }
      return null;
    },
    dispose: () => surface.dispose(),
  };
}

interface View {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function paint(context: CanvasRenderingContext2D, scene: Scene, view: View): void {
  const colours = ink();
  const nodes = new Map(scene.layout.nodes.map((node) => [node.name, node]));
  const rank = { usual: 0, slow: 1, broken: 2 };
  // broken edges on top, the selected one above all
  const sorted = [...scene.layout.edges].sort((a, b) => {
    const [one, two] = [scene.edges[a.edge], scene.edges[b.edge]];
    if (one === undefined || two === undefined) return 0;
    if (one.key === scene.selected) return 1;
    if (two.key === scene.selected) return -1;
    return rank[one.state] - rank[two.state];
  });
  for (const placed of sorted) {
    const edge = scene.edges[placed.edge];
    if (edge === undefined || !visible(placed, view)) continue;
    const lit = scene.lit === null || scene.lit.has(edge.key);
    context.globalAlpha = lit ? 1 : DIM;
    drawLine(context, colours, scene, placed, edge, nodes.get(edge.caller));
    if (lit && scene.labelWidth > 0 && scene.labelled(edge)) drawNumbers(context, colours, scene, placed, edge);
  }
  context.globalAlpha = 1;
}

function visible(placed: PlacedEdge, view: View): boolean {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of placed.points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const slack = 240;
  return (
    right >= view.left - slack &&
    left <= view.left + view.width + slack &&
    bottom >= view.top - slack &&
    top <= view.top + view.height + slack
  );
}

function drawLine(
  context: CanvasRenderingContext2D,
  colours: Ink,
  scene: Scene,
  placed: PlacedEdge,
  edge: Edge,
  caller: PlacedNode | undefined,
): void {
  const selected = edge.key === scene.selected;
  const colour = { broken: colours.err, slow: colours.warn, usual: colours.ghost }[edge.state];
  const usual = edge.state === "usual" && !selected;
  context.strokeStyle = selected ? colours.accent : colour;
  context.lineWidth = widthOf(edge.perSecond);
  const alpha = context.globalAlpha;
  if (usual) context.globalAlpha = alpha * 0.45;
  const end = placed.points.at(-1) as readonly [number, number];
  const run = Math.max(14, scene.labelWidth);
  context.beginPath();
  trace(context, placed, run, caller);
  context.stroke();
  context.globalAlpha = alpha;
  context.lineWidth = 1;
  context.strokeStyle = selected ? colours.accent : usual ? colours.ghost : colour;
  context.beginPath();
  context.moveTo(end[0] - run, end[1]);
  context.lineTo(end[0] - 5, end[1]);
  context.stroke();
  context.fillStyle = context.strokeStyle;
  context.beginPath();
  context.moveTo(end[0] - 1, end[1]);
  context.lineTo(end[0] - 6, end[1] - 3);
  context.lineTo(end[0] - 6, end[1] + 3);
  context.fill();
}

/** The curve up to where the numbers begin. */
function trace(
  context: CanvasRenderingContext2D,
  placed: PlacedEdge,
  run: number,
  caller: PlacedNode | undefined,
): void {
  const points = placed.points.map(([x, y]): [number, number] => [x, y]);
  const last = points.at(-1) as [number, number];
  last[0] -= run;
  if (placed.back && caller !== undefined) {
    // against the grain: out of the caller's lower edge, then to the left
    const first = points[0] as [number, number];
    first[0] = caller.x + 24;
    first[1] = caller.y + caller.height;
    context.moveTo(first[0], first[1]);
    const second = points[1] as [number, number];
    const low = Math.max(first[1], second[1]) + (points.length === 2 && Math.abs(second[1] - first[1]) < 30 ? 26 : 14);
    context.bezierCurveTo(first[0], low, second[0] - 34, low, second[0] - (points.length === 2 ? 18 : 0), second[1]);
    context.lineTo(second[0], second[1]);
    bends(context, points, 2);
    return;
  }
  context.moveTo(points[0]?.[0] ?? 0, points[0]?.[1] ?? 0);
  bends(context, points, 1);
}

function bends(context: CanvasRenderingContext2D, points: readonly [number, number][], from: number): void {
  for (let at = from; at < points.length; at++) {
    const [a, b] = [points[at - 1], points[at]];
    if (a === undefined || b === undefined) continue;
    const half = (a[0] + b[0]) / 2;
    context.bezierCurveTo(half, a[1], half, b[1], b[0], b[1]);
  }
}

function drawNumbers(
  context: CanvasRenderingContext2D,
  colours: Ink,
  scene: Scene,
  placed: PlacedEdge,
  edge: Edge,
): void {
  const end = placed.points.at(-1) as readonly [number, number];
  const right = end[0] - PADDING;
  const columns = [right - 98, right - 54, right] as const;
  const tones = [
    colours.ink2,
    edge.state === "broken" ? colours.err : colours.ink2,
    edge.slow ? colours.warn : colours.ink2,
  ] as const;
  const bold = [false, edge.state === "broken", edge.slow] as const;
  context.textAlign = "right";
  context.textBaseline = "alphabetic";
  edge.labels.forEach((label, at) => {
    const x = columns[at] ?? right;
    context.font = `${bold[at] ? "600 " : ""}11px ${colours.sans}`;
    // a halo keeps the digits readable where lines pass under them
    context.strokeStyle = colours.bg;
    context.lineWidth = 3;
    context.strokeText(label, x, end[1] - 3);
    context.fillStyle = tones[at] ?? colours.ink2;
    context.fillText(label, x, end[1] - 3);
  });
  if (scene.selected === edge.key) {
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.strokeRect(end[0] - scene.labelWidth, end[1] - 14, scene.labelWidth - 2, 17);
  }
}
