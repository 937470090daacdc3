// A chart of lines over time on uPlot: our axes, gaps that say "no data", a dotted ghost, thresholds in words, one crosshair per
// page. Framework-free: an element and a picture in, events out.
import uPlot from "uplot";
import { timeTicks, valueTicks } from "../canvas/axis.ts";
import { type Ink, ink } from "../canvas/ink.ts";
import type { Zone } from "../design/clock.ts";
import "uplot/dist/uPlot.min.css";

export type Points = readonly (number | null)[];

/** A colour by its role, so that a theme change needs no new picture. */
export type Tone = "ink" | "err" | "warn" | "ghost" | "p50" | "p75" | "p95" | { readonly slot: number };

export interface Line {
  readonly name: string;
  readonly points: Points;
  readonly tone: Tone;
  /** The subject of the chart is drawn wider. */
  readonly subject?: boolean;
  readonly dotted?: boolean;
  readonly area?: boolean;
}

export interface Picture {
  /** Seconds since 1970, one per point. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly startMs: number;
  readonly endMs: number;
  readonly zone: Zone;
  /** A value as a label of the y axis, unit included. */
  readonly label: (value: number) => string;
  /** The y axis reaches at least this. */
  readonly floor: number;
  readonly threshold?: { readonly value: number; readonly words: string } | undefined;
  readonly events?: readonly { readonly ms: number; readonly label: string }[];
}

export interface PlotEvents {
  /** The point under the crosshair, null when it has left. */
  readonly onCursor: (index: number | null) => void;
  /** A range was dragged. */
  readonly onRange: (startMs: number, endMs: number) => void;
}

export interface Plot {
  show(picture: Picture): void;
  resize(width: number, height: number): void;
  /** Moves the crosshair by points; null hides it. */
  cursorTo(index: number | null): void;
  dispose(): void;
}

const Y_AXIS_WIDTH = 52;
const X_AXIS_HEIGHT = 24;
const HEAT = { p50: 3, p75: 4, p95: 5 } as const;

function colourOf(tone: Tone, colours: Ink): string {
  if (typeof tone === "object") return colours.slots[tone.slot] ?? colours.ink2;
  if (tone === "ink") return colours.ink2;
  if (tone === "p50" || tone === "p75" || tone === "p95") return colours.heat[HEAT[tone]] ?? colours.ink2;
  return colours[tone];
}

export function createPlot(target: HTMLElement, sync: string, events: PlotEvents): Plot {
  let plot: uPlot | null = null;
  let shown: Picture | null = null;
  let size = { width: 0, height: 0 };
  let shape = "";

  const make = (picture: Picture) => {
    plot?.destroy();
    plot = new uPlot(
      options(picture, size, sync, events, () => shown),
      data(picture),
      target,
    );
  };
  return {
    show(picture) {
      shown = picture;
      if (size.width === 0) return;
      const next = shapeOf(picture);
      if (plot === null || next !== shape) {
        shape = next;
        make(picture);
      } else {
        plot.setData(data(picture), false);
        rescale(plot, picture);
      }
    },
    resize(width, height) {
      size = { width, height };
      if (shown === null || width === 0) return;
      if (plot === null) this.show(shown);
      else plot.setSize(size);
    },
    cursorTo(index) {
      if (plot === null) return;
      if (index === null) plot.setCursor({ left: -10, top: -10 });
      else plot.setCursor({ left: plot.valToPos(shown?.times[index] ?? 0, "x"), top: 4 });
    },
    dispose() {
      plot?.destroy();
      plot = null;
    },
  };
}

/** What cannot change without a new plot. */
function shapeOf(picture: Picture): string {
  const lines = picture.lines.map((line) => [line.tone, line.subject, line.dotted, line.area, line.name]);
  return JSON.stringify([lines, picture.zone, ink().bg]);
}

function data(picture: Picture): uPlot.AlignedData {
  return [picture.times as number[], ...picture.lines.map((line) => line.points as (number | null)[])];
}

function top(picture: Picture): number {
  let most = picture.floor;
  for (const line of picture.lines) for (const value of line.points) if (value !== null && value > most) most = value;
  if (picture.threshold && picture.threshold.value < most * 3) most = Math.max(most, picture.threshold.value * 1.1);
  return valueTicks(most).at(-1) ?? 1;
}

function rescale(plot: uPlot, picture: Picture): void {
  plot.batch(() => {
    plot.setScale("x", { min: picture.startMs / 1000, max: picture.endMs / 1000 });
    plot.setScale("y", { min: 0, max: top(picture) });
  });
}

function options(
  first: Picture,
  size: { width: number; height: number },
  sync: string,
  events: PlotEvents,
  shown: () => Picture | null,
): uPlot.Options {
  const colours = ink();
  const font = `11px ${colours.sans}`;
  const grid = { stroke: colours.grid, width: 1 };
  return {
    ...size,
    pxAlign: 1,
    legend: { show: false },
    padding: [10, 8, 0, 0],
    scales: {
      x: { time: true, range: () => [(shown() ?? first).startMs / 1000, (shown() ?? first).endMs / 1000] },
      y: { range: () => [0, top(shown() ?? first)] },
    },
    axes: [
      {
        size: X_AXIS_HEIGHT,
        font,
        stroke: colours.ink3,
        grid: { show: false },
        ticks: { show: false },
        splits: (plot) => ticksOf(shown() ?? first, plot).map((tick) => tick.ms / 1000),
        values: (plot) => ticksOf(shown() ?? first, plot).map((tick) => tick.label),
      },
      {
        size: Y_AXIS_WIDTH,
        font,
        stroke: colours.ink3,
        grid,
        ticks: { show: false },
        splits: () => valueTicks(top(shown() ?? first)),
        values: (_, splits) => splits.map((value) => (shown() ?? first).label(value)),
      },
    ],
    series: [
      {},
      ...first.lines.map((line): uPlot.Series => {
        const colour = colourOf(line.tone, colours);
        return {
          label: line.name,
          stroke: colour,
          width: line.dotted ? 1 : line.subject ? 2 : 1.5,
          ...(line.dotted ? { dash: [2, 2] } : {}),
          ...(line.area ? { fill: `${colour}1f` } : {}),
          points: { show: false },
          spanGaps: false,
        };
      }),
    ],
    cursor: {
      sync: { key: sync, setSeries: false },
      drag: { x: true, y: false, setScale: false },
      points: { size: 5 },
      y: false,
    },
    hooks: {
      drawClear: [(plot) => gaps(plot, shown() ?? first, colours)],
      draw: [(plot) => marks(plot, shown() ?? first, colours)],
      setCursor: [
        (plot) =>
          events.onCursor(plot.cursor.left === undefined || plot.cursor.left < 0 ? null : (plot.cursor.idx ?? null)),
      ],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          const from = plot.posToVal(plot.select.left, "x") * 1000;
          const to = plot.posToVal(plot.select.left + plot.select.width, "x") * 1000;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          events.onRange(from, to);
        },
      ],
    },
  };
}

function ticksOf(picture: Picture, plot: uPlot) {
  return timeTicks(picture.startMs, picture.endMs, plot.width - Y_AXIS_WIDTH, picture.zone);
}

/** Runs of over two missing points, as first and last index. */
export function missingRuns(points: Points): [number, number][] {
  const out: [number, number][] = [];
  let from = -1;
  points.forEach((value, at) => {
    if (value === null && from < 0) from = at;
    if (value !== null && from >= 0) {
      if (at - from > 2) out.push([from, at - 1]);
      from = -1;
    }
  });
  if (from >= 0 && points.length - from > 2) out.push([from, points.length - 1]);
  return out;
}

function gaps(plot: uPlot, picture: Picture, colours: Ink): void {
  const subject = picture.lines.find((line) => line.subject) ?? picture.lines[0];
  if (subject === undefined) return;
  const { ctx, bbox } = plot;
  const ratio = window.devicePixelRatio || 1;
  ctx.save();
  for (const [from, to] of missingRuns(subject.points)) {
    const left = plot.valToPos(picture.times[from] ?? 0, "x", true);
    const right = plot.valToPos(picture.times[to] ?? 0, "x", true);
    ctx.fillStyle = colours.sub;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    if (right - left < 56 * ratio) continue;
    ctx.fillStyle = colours.ink3;
    ctx.font = `${11 * ratio}px ${colours.sans}`;
    ctx.textAlign = "center";
    ctx.fillText("no data", (left + right) / 2, bbox.top + bbox.height - 6 * ratio);
  }
  ctx.restore();
}

function marks(plot: uPlot, picture: Picture, colours: Ink): void {
  const { ctx, bbox } = plot;
  const ratio = window.devicePixelRatio || 1;
  ctx.save();
  ctx.font = `${11 * ratio}px ${colours.sans}`;
  ctx.lineWidth = ratio;
  for (const event of picture.events ?? []) {
    if (event.ms < picture.startMs || event.ms > picture.endMs) continue;
    const x = Math.round(plot.valToPos(event.ms / 1000, "x", true));
    ctx.strokeStyle = colours.ink3;
    ctx.setLineDash([ratio, 2 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = colours.ink3;
    ctx.textAlign = x - bbox.left < 60 * ratio ? "left" : "right";
    ctx.fillText(event.label, x + (ctx.textAlign === "left" ? 4 : -4) * ratio, bbox.top + 10 * ratio);
  }
  const { threshold } = picture;
  if (threshold !== undefined && threshold.value <= top(picture)) {
    const y = Math.round(plot.valToPos(threshold.value, "y", true));
    ctx.strokeStyle = colours.warn;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = colours.warn;
    ctx.textAlign = "right";
    ctx.fillText(threshold.words, bbox.left + bbox.width, y - 4 * ratio);
  }
  ctx.restore();
}
