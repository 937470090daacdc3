// The part of a trace's time that is shown. Canvas modules listen to it; it knows neither pixels nor pages.

/** Narrower than this (nanoseconds) there is nothing to see. */
const WIDTH_MIN = 100;

export class Viewport {
  from = 0;
  to: number;
  readonly length: number;
  private readonly listeners = new Set<() => void>();

  constructor(length: number) {
    this.length = Math.max(1, length);
    this.to = this.length;
  }

  get width(): number {
    return this.to - this.from;
  }

  get whole(): boolean {
    return this.from <= 0 && this.to >= this.length;
  }

  /** Shows [from, to], moved and widened so that it fits. */
  show(from: number, to: number): void {
    const width = Math.min(this.length, Math.max(Math.min(WIDTH_MIN, this.length), Math.abs(to - from)));
    const start = Math.min(Math.max(0, Math.min(from, to)), this.length - width);
    if (!Number.isFinite(start) || !Number.isFinite(width)) return;
    if (start === this.from && start + width === this.to) return;
    this.from = start;
    this.to = start + width;
    for (const listener of this.listeners) listener();
  }

  reset(): void {
    this.show(0, this.length);
  }

  /** Zooms by a factor (< 1 is closer) around a moment that stays where it is. */
  zoom(factor: number, around = this.from + this.width / 2): void {
    const width = Math.min(this.length, this.width * factor);
    const share = this.width > 0 ? (around - this.from) / this.width : 0.5;
    this.show(around - width * share, around - width * share + width);
  }

  /** Moves by a share of the width. */
  pan(share: number): void {
    const by = this.width * share;
    this.show(this.from + by, this.to + by);
  }

  /** Makes a span visible when none of it is. */
  reveal(start: number, end: number): void {
    if (end >= this.from && start <= this.to) return;
    const middle = (start + end) / 2;
    const width = Math.max(this.width, (end - start) * 1.2);
    this.show(middle - width / 2, middle + width / 2);
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
