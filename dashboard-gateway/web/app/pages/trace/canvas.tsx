// A canvas in React: the painter of the latest render, repainted after each one, on resize and on a change of theme.
import { type RefObject, useEffect, useRef } from "react";
import { onThemeChange } from "../../app/prefs.ts";
import { createSurface, type Painter, type Surface } from "../../canvas/surface.ts";

export function useCanvas(paint: Painter): {
  canvas: RefObject<HTMLCanvasElement | null>;
  surface: RefObject<Surface | null>;
} {
  const canvas = useRef<HTMLCanvasElement>(null);
  const surface = useRef<Surface | null>(null);
  const latest = useRef(paint);
  latest.current = paint;
  useEffect(() => {
    if (canvas.current === null) return;
    const made = createSurface(canvas.current, (context, width, height) => latest.current(context, width, height));
    surface.current = made;
    const stop = onThemeChange(() => made.invalidate());
    return () => {
      stop();
      made.dispose();
      surface.current = null;
    };
  }, []);
  useEffect(() => surface.current?.invalidate());
  return { canvas, surface };
}
