import { useEffect, useMemo, useRef } from "react";
import type { TraceSummary } from "../../api/wire.ts";
import { usePrefs } from "../../app/prefs.ts";
import type { Range } from "../../app/range.ts";
import { type Box, createScatter, type Scatter, type ScatterEvents, type ScatterPoint } from "../../canvas/scatter.ts";
import { msOfNanos } from "../../design/clock.ts";
import { visible } from "../../design/hostile.ts";

interface ScatterPlotProps extends ScatterEvents {
  traces: readonly TraceSummary[];
  range: Range;
  box: Box | null;
  marked: string | null;
}

export function pointOf(trace: TraceSummary): ScatterPoint {
  return {
    id: trace.traceId,
    ms: msOfNanos(trace.start),
    nano: trace.durationNano,
    spans: trace.spans,
    failed: trace.errors > 0,
    label: `${visible(trace.rootService)} ${visible(trace.rootOperation)}`,
  };
}

export function ScatterPlot({ traces, range, box, marked, ...events }: ScatterPlotProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scatter = useRef<Scatter | null>(null);
  const zone = usePrefs((state) => state.zone);
  const points = useMemo(() => traces.map(pointOf), [traces]);
  const latest = useRef(events);
  latest.current = events;
  useEffect(() => {
    if (canvas.current === null) return;
    const made = createScatter(canvas.current, {
      onOpen: (id, newTab) => latest.current.onOpen(id, newTab),
      onHover: (id) => latest.current.onHover(id),
      onBox: (next) => latest.current.onBox(next),
    });
    scatter.current = made;
    return () => made.dispose();
  }, []);
  useEffect(() => {
    scatter.current?.update({ points, startMs: range.startMs, endMs: range.endMs, zone, box, marked });
  }, [points, range, zone, box, marked]);
  return (
    <div className="scatter">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${points.length} traces by start and duration; the table below has the same`}
      />
    </div>
  );
}
