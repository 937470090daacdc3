// Traces as points: start × duration (log), size by span count, filled red with errors and hollow without. Dragging a box
// filters. Framework-free; pages hand in points and callbacks. The table of results is its data table.

import { onThemeChange } from "../app/prefs.ts";
import { clockMilli, type Zone } from "../design/clock.ts";
import { duration } from "../design/format.ts";
import { logTicks, timeTicks } from "./axis.ts";
import { ink } from "./ink.ts";
import { createSurface } from "./surface.ts";

export interface ScatterPoint {
  readonly id: string;
  readonly ms: number;
  readonly nano: number;
  readonly spans: number;
  readonly failed: boolean;
  readonly label: string;
}

export interface Box {
  readonly fromMs: number;
  readonly toMs: number;
  readonly fromNano: number;
  readonly toNano: number;
}

export interface ScatterInput {
  readonly points: readonly ScatterPoint[];
  readonly startMs: number;
  readonly endMs: number;
  readonly zone: Zone;
  readonly box: Box | null;
  /** The row that is pointed at elsewhere. */
  readonly marked: string | null;
}

export interface ScatterEvents {
  onOpen(id: string, newTab: boolean): void;
  onHover(id: string | null): void;
  onBox(box: Box | null): void;
}

export interface Scatter {
  update(input: ScatterInput): void;
  dispose(): void;
}

const LEFT = 44;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;
const REACH_PX = 12;
const DRAG_PX = 4;

/** A point inside a box. */
export function inBox(point: Pick<ScatterPoint, "ms" | "nano">, box: Box): boolean {
  return point.ms >= box.fromMs && point.ms <= box.toMs && point.nano >= box.fromNano && point.nano <= box.toNano;
}

/** Bounds of the y axis: whole steps around the data, at least a factor of four. */
export function bounds(points: readonly ScatterPoint[]): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const { nano } of points) {
    const shown = Math.max(nano, 1000);
    if (shown < low) low = shown;
    if (shown > high) high = shown;
  }
  if (high === 0) return { low: 1e6, high: 1e9 };
  low /= 1.25;
  high *= 1.25;
  const middle = Math.sqrt(low * high);
  return { low: Math.min(low, middle / 2), high: Math.max(high, middle * 2) };
}

export function createScatter(canvas: HTMLCanvasElement, events: ScatterEvents): Scatter {
  let input: ScatterInput = { points: [], startMs: 0, endMs: 1, zone: "utc", box: null, marked: null };
  let axis = bounds([]);
  let hover: ScatterPoint | null = null;
  let drag: { x0: number; y0: number; x1: number; y1: number } | null = null;

  const x = (ms: number, width: number) =>
    LEFT + ((ms - input.startMs) / (input.endMs - input.startMs)) * (width - LEFT - RIGHT);
  const y = (nano: number, height: number) => {
    const share = Math.log(Math.max(nano, axis.low) / axis.low) / Math.log(axis.high / axis.low);
    return height - BOTTOM - share * (height - TOP - BOTTOM);
  };
  const msAt = (px: number) =>
    input.startMs + ((px - LEFT) / (surface.width - LEFT - RIGHT)) * (input.endMs - input.startMs);
  const nanoAt = (py: number) => {
    const share = (surface.height - BOTTOM - py) / (surface.height - TOP - BOTTOM);
    return axis.low * (axis.high / axis.low) ** share;
  };

  const surface = createSurface(canvas, (context, width, height) => {
    paintAxes(context, width, height);
    for (const failed of [false, true]) {
      for (const point of input.points) if (point.failed === failed) paintPoint(context, point, width, height);
    }
    const marked = hover ?? input.points.find((point) => point.id === input.marked);
    if (marked !== undefined) {
      context.strokeStyle = ink().accent;
      context.lineWidth = 2;
      circle(context, x(marked.ms, width), y(marked.nano, height), radius(marked) + 3);
      context.stroke();
    }
    paintBox(context, width, height);
    if (hover !== null && drag === null) paintTip(context, hover, width, height);
  });

  function paintAxes(context: CanvasRenderingContext2D, width: number, height: number): void {
    const colours = ink();
    context.font = `11px ${colours.sans}`;
    context.fillStyle = colours.ink3;
    context.strokeStyle = colours.grid;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of logTicks(axis.low, axis.high)) {
      const at = Math.round(y(tick, height)) + 0.5;
      context.beginPath();
      context.moveTo(LEFT, at);
      context.lineTo(width - RIGHT, at);
      context.stroke();
      context.fillText(tickName(tick), LEFT - 6, at);
    }
    context.textBaseline = "alphabetic";
    for (const tick of timeTicks(input.startMs, input.endMs, width - LEFT - RIGHT, input.zone)) {
      const half = context.measureText(tick.label).width / 2;
      const at = Math.max(LEFT + half, Math.min(width - RIGHT - half, x(tick.ms, width)));
      context.textAlign = "center";
      context.fillText(tick.label, at, height - 4);
    }
  }

  function paintPoint(context: CanvasRenderingContext2D, point: ScatterPoint, width: number, height: number): void {
    const colours = ink();
    const faded = input.box !== null && !inBox(point, input.box);
    context.globalAlpha = faded ? 0.25 : 1;
    circle(context, x(point.ms, width), y(point.nano, height), radius(point));
    if (point.failed) {
      context.fillStyle = colours.err;
      context.fill();
    } else {
      context.strokeStyle = colours.ink2;
      context.lineWidth = 1.25;
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  function paintBox(context: CanvasRenderingContext2D, width: number, height: number): void {
    const colours = ink();
    const { box } = input;
    const shown =
      drag ??
      (box && {
        x0: x(box.fromMs, width),
        x1: x(box.toMs, width),
        y0: y(box.toNano, height),
        y1: y(box.fromNano, height),
      });
    if (!shown) return;
    const left = Math.min(shown.x0, shown.x1);
    const top = Math.min(shown.y0, shown.y1);
    const [w, h] = [Math.abs(shown.x1 - shown.x0), Math.abs(shown.y1 - shown.y0)];
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.08;
    context.fillRect(left, top, w, h);
    context.globalAlpha = 1;
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, w, h);
  }

  function paintTip(context: CanvasRenderingContext2D, point: ScatterPoint, width: number, height: number): void {
    const colours = ink();
    const lines = [
      clip(point.label, 60),
      `${clockMilli(point.ms, input.zone)} · ${duration(point.nano)} · ${point.spans} spans${point.failed ? " · errors" : ""}`,
    ];
    context.font = `12px ${colours.sans}`;
    const w = Math.max(...lines.map((line) => context.measureText(line).width)) + 16;
    const [px, py] = [x(point.ms, width), y(point.nano, height)];
    const left = px + 14 + w > width ? Math.max(0, px - 14 - w) : px + 14;
    const top = Math.max(0, Math.min(height - 40, py - 20));
    context.fillStyle = colours.bg;
    context.strokeStyle = colours.line2;
    context.lineWidth = 1;
    context.beginPath();
    context.roundRect(left + 0.5, top + 0.5, w, 40, 4);
    context.fill();
    context.stroke();
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    context.fillStyle = colours.ink;
    context.fillText(lines[0] ?? "", left + 8, top + 16);
    context.fillStyle = colours.ink2;
    context.fillText(lines[1] ?? "", left + 8, top + 33);
  }

  function nearest(px: number, py: number): ScatterPoint | null {
    let best: ScatterPoint | null = null;
    let distance = REACH_PX ** 2;
    for (const point of input.points) {
      const away = (x(point.ms, surface.width) - px) ** 2 + (y(point.nano, surface.height) - py) ** 2;
      if (away < distance) {
        best = point;
        distance = away;
      }
    }
    return best;
  }

  function setHover(point: ScatterPoint | null): void {
    if (point === hover) return;
    hover = point;
    canvas.style.cursor = point === null ? "crosshair" : "pointer";
    events.onHover(point?.id ?? null);
    surface.invalidate();
  }

  const stop = new AbortController();
  const on = <Name extends keyof HTMLElementEventMap>(name: Name, run: (event: HTMLElementEventMap[Name]) => void) =>
    canvas.addEventListener(name, run, { signal: stop.signal });
  on("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    canvas.setPointerCapture(event.pointerId);
    drag = { x0: event.offsetX, y0: event.offsetY, x1: event.offsetX, y1: event.offsetY };
  });
  on("pointermove", (event) => {
    if (drag === null) {
      setHover(nearest(event.offsetX, event.offsetY));
      return;
    }
    drag = {
      ...drag,
      x1: Math.max(LEFT, Math.min(surface.width - RIGHT, event.offsetX)),
      y1: Math.max(TOP, Math.min(surface.height - BOTTOM, event.offsetY)),
    };
    surface.invalidate();
  });
  on("pointerup", () => {
    const ended = drag;
    drag = null;
    if (ended === null || Math.hypot(ended.x1 - ended.x0, ended.y1 - ended.y0) < DRAG_PX) return;
    events.onBox({
      fromMs: msAt(Math.min(ended.x0, ended.x1)),
      toMs: msAt(Math.max(ended.x0, ended.x1)),
      fromNano: nanoAt(Math.max(ended.y0, ended.y1)),
      toNano: nanoAt(Math.min(ended.y0, ended.y1)),
    });
    dragged = true;
  });
  let dragged = false;
  on("click", (event) => {
    if (dragged) dragged = false;
    else {
      const point = nearest(event.offsetX, event.offsetY);
      if (point !== null) events.onOpen(point.id, event.ctrlKey || event.metaKey);
      else if (input.box !== null) events.onBox(null);
    }
  });
  on("pointerleave", () => setHover(null));
  const unwatch = onThemeChange(() => surface.invalidate());

  return {
    update(next) {
      if (next.points !== input.points) {
        axis = bounds(next.points);
        hover = next.points.find((point) => point.id === hover?.id) ?? null;
      }
      input = next;
      surface.invalidate();
    },
    dispose() {
      stop.abort();
      unwatch();
      surface.dispose();
    },
  };
}

function radius(point: ScatterPoint): number {
  return Math.min(9, 2.4 + Math.sqrt(point.spans) * 0.22);
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.beginPath();
  context.arc(x, y, r, 0, Math.PI * 2);
}

function clip(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

/** Axis labels carry no digits that are always zero: `5 s`, not `5.00 s`. */
function tickName(nano: number): string {
  return duration(nano)
    .replace(/\.0+ /, " ")
    .replace(/(\.\d*?)0+ /, "$1 ");
}
