// The waterfall's bars: one canvas over the visible rows. Draws what the scene says and nothing else; text that people
// select or search stands in the DOM rows beside it.

import { duration } from "../design/format.ts";
import type { Analysis } from "../trace/analysis.ts";
import { includesRow } from "../trace/find.ts";
import type { VisibleRows } from "../trace/rows.ts";
import { membersOf, NO_GROUP } from "../trace/similar.ts";
import { isError } from "../trace/trace.ts";
import type { Ink } from "./ink.ts";
import { rulerTicks } from "./timeruler.ts";
import type { Viewport } from "./viewport.ts";

export interface WaterfallScene {
  readonly analysis: Analysis;
  readonly rows: VisibleRows;
  readonly viewport: Viewport;
  readonly rowHeight: number;
  /** Pixels between the top of row 0 and the top of the canvas. */
  offset: number;
  readonly selected: number | null;
  readonly matches: Uint32Array;
  readonly critical: boolean;
  /** Colour slot of each service and whether it is split, by index. */
  readonly slots: readonly { readonly slot: number; readonly split: boolean }[];
  /** On phones the name stands above the bar, and the duration in the DOM row. */
  readonly stacked: boolean;
}

/** Room at the left for a bar that starts at 0, at the right for the longest duration. */
export const PLOT_LEFT = 8;
export const PLOT_RIGHT = 60;
const RISER_ROWS_MAX = 7;
const PIECES_MAX = 2_000;
const CAP = 3;

export interface Plot {
  readonly left: number;
  readonly width: number;
}

export function plotOf(width: number, stacked: boolean): Plot {
  const right = stacked ? PLOT_LEFT : PLOT_RIGHT;
  return { left: PLOT_LEFT, width: Math.max(10, width - PLOT_LEFT - right) };
}

class Painting {
  readonly first: number;
  readonly last: number;
  readonly barHeight: number;
  readonly barTop: number;
  private readonly plot: Plot;
  readonly g: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly scene: WaterfallScene;
  readonly ink: Ink;

  constructor(g: CanvasRenderingContext2D, width: number, height: number, scene: WaterfallScene, ink: Ink) {
    this.g = g;
    this.width = width;
    this.height = height;
    this.scene = scene;
    this.ink = ink;
    this.plot = plotOf(width, scene.stacked);
    const { rowHeight, offset } = scene;
    this.first = Math.max(0, Math.floor(offset / rowHeight));
    this.last = Math.min(scene.rows.count - 1, Math.ceil((offset + height) / rowHeight));
    this.barHeight = scene.stacked ? 7 : Math.max(6, Math.round(rowHeight * 0.55));
    this.barTop = scene.stacked ? 23 : Math.floor((rowHeight - this.barHeight) / 2) - 1;
  }

  x(nano: number): number {
    const { viewport } = this.scene;
    return this.plot.left + ((nano - viewport.from) / viewport.width) * this.plot.width;
  }

  y(position: number): number {
    return position * this.scene.rowHeight - this.scene.offset;
  }

  /** Clips to what is on screen: a canvas draws coordinates of millions of pixels badly. */
  bar(from: number, to: number, y: number, height: number, least: number): void {
    const left = Math.max(-4, this.x(from));
    const right = Math.min(this.width + 4, Math.max(this.x(to), this.x(from) + least));
    if (right > left) this.g.fillRect(left, y, right - left, height);
  }

  grid(): void {
    const { viewport } = this.scene;
    this.g.fillStyle = this.ink.grid;
    for (const tick of rulerTicks(viewport.from, viewport.to, this.plot.width)) {
      this.g.fillRect(Math.round(this.x(tick.nano)), 0, 1, this.height);
    }
  }

  bars(): void {
    const { rows, analysis, slots } = this.scene;
    const { service } = analysis.trace.columns;
    for (let position = this.first; position <= this.last; position++) {
      const row = rows.span[position] as number;
      const look = slots[service[row] as number];
      this.g.fillStyle = this.ink.slots[look?.slot ?? 0] ?? this.ink.ink2;
      if (rows.group[position] === NO_GROUP) this.spanBar(row, position, look?.split ?? false);
      else this.groupBar(rows.group[position] as number, position);
    }
  }

  private spanBar(row: number, position: number, split: boolean): void {
    const { trace } = this.scene.analysis;
    const start = trace.columns.start[row] as number;
    const end = start + (trace.columns.duration[row] as number);
    const y = this.y(position) + this.barTop;
    this.bar(start, end, y, this.barHeight, 2);
    if (split && this.x(end) - this.x(start) > 8) this.notch(start, y);
    if (isError(trace, row)) {
      const right = Math.max(this.x(end), this.x(start) + 2);
      this.g.fillStyle = this.ink.err;
      if (right > -CAP && right < this.width + CAP) this.g.fillRect(right - CAP, y, CAP, this.barHeight);
    }
  }

  /** The later of two services on one hue: two pixels of background cut into the left end. */
  private notch(start: number, y: number): void {
    const held = this.g.fillStyle;
    this.g.fillStyle = this.ink.bg;
    this.g.fillRect(this.x(start) + 2, y, 2, this.barHeight);
    this.g.fillStyle = held;
  }

  /** Members one by one; those that fall into the same pixel are drawn once. */
  private groupBar(group: number, position: number): void {
    const { analysis } = this.scene;
    const { start, duration: took } = analysis.trace.columns;
    const y = this.y(position) + this.barTop;
    let drawn = Number.NEGATIVE_INFINITY;
    for (const member of membersOf(analysis.groups, group)) {
      const from = start[member] as number;
      const to = from + (took[member] as number);
      if (this.x(to) < drawn + 0.5) continue;
      const left = Math.max(-4, this.x(from), drawn === Number.NEGATIVE_INFINITY ? -4 : drawn + 1);
      const right = Math.min(this.width + 4, Math.max(this.x(to), this.x(from) + 1.5));
      if (right > left) this.g.fillRect(left, y, right - left, this.barHeight);
      drawn = Math.max(drawn, right);
    }
  }

  /** One thread to follow: two pixels under the bars, thin risers where it changes the row. */
  thread(): void {
    this.g.fillStyle = this.ink.ink;
    for (let position = this.first; position <= this.last; position++) {
      for (const [first, last] of this.subtrees(position)) this.threadOf(first, last, position);
    }
  }

  /** Pieces of rows first … last, which are contiguous, drawn at one position. */
  private threadOf(first: number, last: number, position: number): void {
    const { path, trace } = this.scene.analysis;
    const from = path.first[first] as number;
    const to = path.first[last + 1] as number;
    if (to - from > PIECES_MAX) {
      const start = trace.columns.start[first] as number;
      this.threadPiece(start, start + (trace.columns.duration[first] as number), position);
      return;
    }
    for (let i = from; i < to; i++) {
      const piece = path.byRow[i] as number;
      this.threadPiece(path.from[piece] as number, path.to[piece] as number, position);
      this.riser(piece, position);
    }
  }

  /** Rows that a position shows, as ranges: its own, all it hides if it is folded, all members if it is a closed group. */
  private *subtrees(position: number): Generator<readonly [number, number]> {
    const { rows, analysis } = this.scene;
    const { descendants } = analysis.trace.columns;
    const row = rows.span[position] as number;
    const group = rows.group[position] as number;
    if (group === NO_GROUP) {
      const end = row + (descendants[row] as number);
      yield [row, end > row && rows.position[end] === position ? end : row];
      return;
    }
    for (const member of membersOf(analysis.groups, group)) {
      // Members of an open group show their own thread.
      if (rows.position[member] === position) yield [member, member + (descendants[member] as number)];
    }
  }

  private threadPiece(from: number, to: number, position: number): void {
    this.bar(from, to, this.y(position) + this.barTop + this.barHeight, 2, 1);
  }

  private riser(piece: number, position: number): void {
    if (piece === 0 || this.scene.stacked) return;
    const { path } = this.scene.analysis;
    const before = this.scene.rows.position[path.row[piece - 1] as number] as number;
    const distance = Math.abs(before - position);
    if (before < 0 || distance === 0 || distance > RISER_ROWS_MAX) return;
    const x = Math.round(this.x(path.from[piece] as number));
    if (x < 0 || x > this.width) return;
    const thread = this.barTop + this.barHeight + 1;
    const top = this.y(Math.min(before, position)) + thread;
    this.g.globalAlpha = 0.45;
    this.g.fillRect(x, top, 1, distance * this.scene.rowHeight);
    this.g.globalAlpha = 1;
  }

  labels(): void {
    const { rows, analysis, selected, rowHeight } = this.scene;
    if (this.scene.stacked) return;
    const { trace } = analysis;
    const size = rowHeight < 18 ? 10 : 11;
    this.g.textBaseline = "middle";
    this.g.textAlign = "left";
    this.g.lineJoin = "round";
    for (let position = this.first; position <= this.last; position++) {
      const row = rows.span[position] as number;
      const [start, end] = this.extent(position, row);
      const error = rows.group[position] === NO_GROUP && isError(trace, row);
      this.g.font = `${size}px ${this.ink.sans}`;
      this.label(
        duration(end - start),
        this.x(start),
        this.x(end),
        this.y(position) + rowHeight / 2,
        error,
        row === selected,
      );
    }
  }

  /** Time that a position covers: a span's, or that of all members of a group. */
  private extent(position: number, row: number): [number, number] {
    const { rows, analysis } = this.scene;
    const { start, duration: took } = analysis.trace.columns;
    const begin = start[row] as number;
    if (rows.group[position] === NO_GROUP) return [begin, begin + (took[row] as number)];
    let end = begin;
    for (const member of membersOf(analysis.groups, rows.group[position] as number)) {
      end = Math.max(end, (start[member] as number) + (took[member] as number));
    }
    return [begin, end];
  }

  private label(text: string, from: number, to: number, y: number, error: boolean, selected: boolean): void {
    const { g, ink } = this;
    const mark = error ? 8 : 0;
    const width = g.measureText(text).width + mark;
    let x = Math.max(to, from + 2) + 4;
    if (x + width > this.width - 2) x = from - 4 - width > 2 ? from - 4 - width : this.width - 4 - width;
    if (x < 2) x = 2;
    if (from > this.width || to < 0) {
      this.beyond(from > this.width, y, selected);
      return;
    }
    g.strokeStyle = selected ? ink.sel : ink.bg;
    g.lineWidth = 3;
    g.strokeText(text, x + mark, y);
    g.fillStyle = selected ? ink.ink : ink.ink3;
    g.fillText(text, x + mark, y);
    if (!error) return;
    g.fillStyle = ink.err;
    g.font = `bold 11px ${ink.sans}`;
    g.fillText("!", x, y);
  }

  /** A span outside of the zoomed part: an arrow says where it is. */
  private beyond(right: boolean, y: number, selected: boolean): void {
    this.g.fillStyle = selected ? this.ink.ink : this.ink.ghost;
    this.g.fillText(right ? "›" : "‹", right ? this.width - 10 : 2, y);
  }

  outlines(): void {
    const { rows, matches, analysis } = this.scene;
    if (matches.length === 0) return;
    const { start, duration: took } = analysis.trace.columns;
    this.g.strokeStyle = this.ink.warn;
    this.g.lineWidth = 1;
    for (let position = this.first; position <= this.last; position++) {
      const row = rows.span[position] as number;
      if (!includesRow(matches, row)) continue;
      const left = Math.max(-2, Math.round(this.x(start[row] as number)) - 1.5);
      const end = (start[row] as number) + (took[row] as number);
      const right = Math.min(this.width + 2, Math.max(left + 4, Math.round(this.x(end)) + 1.5));
      if (right > left) this.g.strokeRect(left, this.y(position) + this.barTop - 1.5, right - left, this.barHeight + 3);
    }
  }
}

export function paintWaterfall(
  g: CanvasRenderingContext2D,
  width: number,
  height: number,
  scene: WaterfallScene,
  ink: Ink,
): void {
  const painting = new Painting(g, width, height, scene, ink);
  // On phones names stand above the bars, where lines would cross them.
  if (!scene.stacked) painting.grid();
  painting.bars();
  if (scene.critical) painting.thread();
  painting.outlines();
  painting.labels();
}
