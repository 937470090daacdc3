// A canvas that knows its size and pixel ratio and draws at most once per frame. Framework-free: pages hand in an element
// and a painter. Layout is read by ResizeObserver alone; while the document is hidden nothing is drawn.

export interface Surface {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Something changed: paint on the next frame. */
  invalidate(): void;
  dispose(): void;
}

export type Painter = (context: CanvasRenderingContext2D, width: number, height: number) => void;

/** Makes `canvas` fill its parent box and repaints it through `paint` when it is resized or invalidated. */
export function createSurface(canvas: HTMLCanvasElement, paint: Painter): Surface {
  const context = canvas.getContext("2d");
  let width = 0;
  let height = 0;
  let frame = 0;
  const draw = () => {
    frame = 0;
    if (context === null || width === 0 || height === 0 || document.hidden) return;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context, width, height);
  };
  const invalidate = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const observer = new ResizeObserver(([entry]) => {
    if (entry === undefined) return;
    width = entry.contentRect.width;
    height = entry.contentRect.height;
    invalidate();
  });
  observer.observe(canvas);
  document.addEventListener("visibilitychange", invalidate);
  return {
    get width() {
      return width;
    },
    get height() {
      return height;
    },
    invalidate,
    dispose() {
      if (frame !== 0) cancelAnimationFrame(frame);
      observer.disconnect();
      document.removeEventListener("visibilitychange", invalidate);
    },
  };
}
