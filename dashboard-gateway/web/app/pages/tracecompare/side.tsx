// One of the two traces: what it is, and all its spans on the time scale that both share.
import { useMemo } from "react";
import { Link } from "../../app/link.tsx";
import { useNow } from "../../app/now.ts";
import { usePrefs } from "../../app/prefs.ts";
import { ink } from "../../canvas/ink.ts";
import { Minimap } from "../../canvas/minimap.ts";
import { ago, clockMilli, day } from "../../design/clock.ts";
import { swatches } from "../../design/colour.ts";
import { count, duration, plural } from "../../design/format.ts";
import { Text } from "../../design/text.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { mainRoot, operationOf, serviceOf } from "../../trace/trace.ts";
import { useCanvas } from "../trace/canvas.tsx";

interface Props {
  letter: "A" | "B";
  id: string;
  analysis: Analysis;
  /** Nanoseconds that the full width stands for. */
  length: number;
  /** Services of both, so that they look alike in both. */
  names: readonly string[];
}

const NOTHING = new Uint32Array();

export function SideRow({ letter, id, analysis, length, names }: Props) {
  const zone = usePrefs((state) => state.zone);
  const nowMs = useNow((state) => state.nowMs);
  const { trace } = analysis;
  const root = mainRoot(trace);
  const map = useMemo(() => new Minimap(), []);
  const looks = useMemo(() => {
    const all = swatches(names);
    return trace.services.map((name) => all.get(name) ?? { slot: 0, split: false });
  }, [trace, names]);
  const { canvas } = useCanvas((g, width, height) => {
    const colours = ink();
    const end = Math.round((trace.durationNano / length) * width);
    g.fillStyle = colours.sub;
    g.fillRect(0, 0, width, height);
    map.paint(g, width, height, { analysis, viewport: null, slots: looks, matches: NOTHING, length }, colours);
    g.fillStyle = colours.ink3;
    g.fillRect(Math.max(0, end - 1), 0, 1, height);
  });
  return (
    <div className="compare-side">
      <b className="compare-letter">{letter}</b>
      <div className="compare-what">
        <div className="cut">
          <Link to={`/trace/${id}`} className="">
            <b>
              <Text value={serviceOf(trace, root)} /> <Text value={operationOf(trace, root)} />
            </b>
          </Link>{" "}
          <span className="mono faint">
            <Text value={id.slice(0, 8)} />
          </span>
        </div>
        <div className="small soft">
          {day(trace.startMs, zone)} {clockMilli(trace.startMs, zone)}, {ago(trace.startMs, nowMs)} ·{" "}
          <b>{duration(trace.durationNano)}</b> · {count(trace.count)} {trace.count === 1 ? "span" : "spans"} ·{" "}
          {analysis.errors.length > 0 ? <b className="err">{plural(analysis.errors.length, "error")}</b> : "0 errors"}
        </div>
      </div>
      <div className="compare-map">
        <canvas
          ref={canvas}
          className="plain-canvas"
          role="img"
          aria-label={`Spans of trace ${letter}: ${duration(trace.durationNano)} of ${duration(length)}`}
        />
      </div>
    </div>
  );
}
