// The minimap with its handles: drag a handle, drag the frame, drag over the rest to look at a part, double click for all.
import { type PointerEvent, useEffect, useMemo, useRef } from "react";
import { ink } from "../../canvas/ink.ts";
import { Minimap, type MinimapScene } from "../../canvas/minimap.ts";
import type { Viewport } from "../../canvas/viewport.ts";
import { duration } from "../../design/format.ts";
import type { Analysis } from "../../trace/analysis.ts";
import { useCanvas } from "./canvas.tsx";
import type { Look } from "./looks.ts";

interface Props {
  analysis: Analysis;
  viewport: Viewport;
  looks: readonly Look[];
  matches: Uint32Array;
}

const GRIP = 6;

interface Drag {
  readonly kind: "from" | "to" | "frame" | "new";
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export function TraceMinimap({ analysis, viewport, looks, matches }: Props) {
  const map = useMemo(() => new Minimap(), []);
  const scene: MinimapScene = { analysis, viewport, slots: looks, matches, length: viewport.length };
  const { canvas, surface } = useCanvas((g, width, height) => map.paint(g, width, height, scene, ink()));
  const drag = useRef<Drag | null>(null);
  useEffect(() => viewport.listen(() => surface.current?.invalidate()), [viewport, surface]);
  const nanoAt = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * viewport.length;
  };
  const onDown = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = nanoAt(event);
    const grip = (GRIP / event.currentTarget.clientWidth) * viewport.length;
    const { from, to } = viewport;
    const near = (edge: number) => Math.abs(at - edge) <= grip;
    const kind = near(from) ? "from" : near(to) ? "to" : !viewport.whole && at > from && at < to ? "frame" : "new";
    drag.current = { kind, at, from, to };
  };
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    const held = drag.current;
    if (held === null) return;
    const at = nanoAt(event);
    if (held.kind === "from") viewport.show(Math.min(at, held.to), held.to);
    else if (held.kind === "to") viewport.show(held.from, Math.max(at, held.from));
    else if (held.kind === "frame") viewport.show(held.from + at - held.at, held.to + at - held.at);
    else if (Math.abs(at - held.at) > (4 / event.currentTarget.clientWidth) * viewport.length) {
      viewport.show(Math.max(0, Math.min(at, held.at)), Math.max(at, held.at));
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a, d and the arrow keys do the same
    <div
      className="minimap"
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={() => {
        drag.current = null;
      }}
      onPointerCancel={() => {
        drag.current = null;
      }}
      onDoubleClick={() => viewport.reset()}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Overview of ${analysis.trace.count} spans in ${duration(viewport.length)}; the timeline below has them as a tree`}
      />
    </div>
  );
}
