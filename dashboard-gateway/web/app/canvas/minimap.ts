// The minimap: the whole trace on 40 pixels. Spans are rastered once per size, theme and trace (a million take about 30 ms);
// the viewport's frame is drawn over it.

import type { Analysis } from "../trace/analysis.ts";
import type { Ink } from "./ink.ts";
import type { Viewport } from "./viewport.ts";

export interface MinimapScene {
  readonly analysis: Analysis;
  readonly viewport: Viewport | null;
  readonly slots: readonly { readonly slot: number; readonly split: boolean }[];
  readonly matches: Uint32Array;
  /** Nanoseconds that the full width stands for: the trace's duration, or more when two traces share a scale. */
  readonly length: number;
}

export const HANDLE = 3;
const PAD = 3;
const FOOT = 3;

/** All spans as an image of `width` × `height` device pixels. The first span that reaches a pixel keeps it. */
export function rasterSpans(scene: MinimapScene, colours: Uint32Array, width: number, height: number): Uint32Array {
  const pixels = new Uint32Array(width * height);
  const { trace } = scene.analysis;
  const { start, duration, service } = trace.columns;
  const thick = Math.max(1, Math.floor(height / Math.max(1, trace.count)));
  const scale = width / Math.max(1, scene.length);
  // For each pixel of a line the next one that is still empty: every pixel is written once, however many spans cover it.
  const free = new Uint32Array(width + 1);
  let line = -1;
  for (let row = 0; row < trace.count; row++) {
    const y = Math.min(height - 1, Math.floor((row * height) / trace.count));
    if (y !== line) {
      line = y;
      for (let x = 0; x <= width; x++) free[x] = x;
    }
    const left = Math.min(width - 1, Math.floor((start[row] as number) * scale));
    const right = Math.min(
      width,
      Math.max(left + 1, Math.ceil(((start[row] as number) + (duration[row] as number)) * scale)),
    );
    const colour = colours[service[row] as number] as number;
    for (let x = next(free, left); x < right; x = next(free, x)) {
      for (let down = 0; down < thick && y + down < height; down++) pixels[(y + down) * width + x] = colour;
      free[x] = x + 1;
    }
  }
  return pixels;
}

function next(free: Uint32Array, from: number): number {
  let at = from;
  while (free[at] !== at) {
    const skip = free[free[at] as number] as number;
    free[at] = skip;
    at = skip;
  }
  return at;
}

/** `#rrggbb` as a pixel of ImageData (little-endian RGBA). */
export function pixelOf(colour: string): number {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (hex === null) return 0xff808080;
  const [r, g, b] = [hex[1], hex[2], hex[3]].map((part) => Number.parseInt(part ?? "80", 16)) as [
    number,
    number,
    number,
  ];
  return ((0xff << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** Keeps the raster between frames. */
export class Minimap {
  private image: HTMLCanvasElement | null = null;
  private key: readonly unknown[] = [];

  paint(g: CanvasRenderingContext2D, width: number, height: number, scene: MinimapScene, ink: Ink): void {
    const ratio = window.devicePixelRatio || 1;
    const inner = height - 2 * PAD;
    const size = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(inner * ratio))] as const;
    const key = [scene.analysis, scene.length, ink, ...size];
    if (this.image === null || key.some((part, index) => part !== this.key[index])) {
      this.image = this.raster(scene, ink, size[0], size[1]);
      this.key = key;
    }
    g.drawImage(this.image, 0, PAD, width, inner);
    this.marks(g, width, height, scene, ink);
    if (scene.viewport !== null) this.frame(g, width, height, scene.viewport, ink);
  }

  private raster(scene: MinimapScene, ink: Ink, width: number, height: number): HTMLCanvasElement {
    const image = document.createElement("canvas");
    image.width = width;
    image.height = height;
    const colours = Uint32Array.from(scene.slots, (look) => pixelOf(ink.slots[look.slot] ?? ""));
    const pixels = rasterSpans(scene, colours, width, height);
    const data = new ImageData(new Uint8ClampedArray(pixels.buffer as ArrayBuffer), width, height);
    image.getContext("2d")?.putImageData(data, 0, 0);
    return image;
  }

  private marks(g: CanvasRenderingContext2D, width: number, height: number, scene: MinimapScene, ink: Ink): void {
    const { errors, trace } = scene.analysis;
    const scale = width / Math.max(1, scene.length);
    const mark = (rows: Uint32Array, y: number) => {
      let drawn = -1;
      for (const row of rows) {
        const left = (trace.columns.start[row] as number) * scale;
        const right = Math.max(left + 3, left + (trace.columns.duration[row] as number) * scale);
        // An error that holds other errors is told by them: the foot shows causes, not everything above them.
        if (rows === errors && holdsError(scene.analysis, row)) continue;
        if (right <= drawn) continue;
        g.fillRect(Math.max(left, drawn), y, right - Math.max(left, drawn), FOOT);
        drawn = right;
      }
    };
    g.fillStyle = ink.warn;
    mark(scene.matches, 0);
    g.fillStyle = ink.err;
    mark(errors, height - FOOT);
  }

  private frame(g: CanvasRenderingContext2D, width: number, height: number, viewport: Viewport, ink: Ink): void {
    const left = (viewport.from / viewport.length) * width;
    const right = (viewport.to / viewport.length) * width;
    if (!viewport.whole) {
      g.globalAlpha = 0.72;
      g.fillStyle = ink.hover;
      g.fillRect(0, 0, left, height);
      g.fillRect(right, 0, width - right, height);
      g.globalAlpha = 1;
    }
    g.strokeStyle = ink.ink2;
    g.lineWidth = 1;
    g.strokeRect(Math.round(left) + 0.5, 0.5, Math.max(2, Math.round(right - left) - 1), height - 1);
    g.fillStyle = ink.ink2;
    g.fillRect(left, height / 2 - 7, HANDLE, 14);
    g.fillRect(right - HANDLE, height / 2 - 7, HANDLE, 14);
  }
}

function holdsError(analysis: Analysis, row: number): boolean {
  const { errors, trace } = analysis;
  const last = row + (trace.columns.descendants[row] as number);
  let low = 0;
  let high = errors.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((errors[middle] as number) <= row) low = middle + 1;
    else high = middle;
  }
  return (errors[low] ?? Number.POSITIVE_INFINITY) <= last;
}
