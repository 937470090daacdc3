// One chart of a page: title and key number, legend with the values under the crosshair, the plot, and its numbers as a table.
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useSetParams } from "../app/location.ts";
import { onThemeChange, usePrefs } from "../app/prefs.ts";
import { clockSecond, iso } from "../design/clock.ts";
import { Button } from "../design/controls.tsx";
import { createPlot, type Line, type Picture, type Plot } from "./plot.ts";
import "./timechart.css";

interface TimeChartProps {
  title: string;
  /** What is drawn, with its unit: "p95, server spans". */
  unit: string;
  /** The number that answers the page's question. */
  value?: React.ReactNode;
  lines: readonly Line[];
  startMs: number;
  endMs: number;
  stepSeconds: number;
  /** A value with its unit, for legend, axis and table. */
  format: (value: number) => string;
  floor?: number;
  threshold?: Picture["threshold"];
  events?: Picture["events"];
  /** Charts of one page share it. */
  sync: string;
  height?: number;
}

export function TimeChart(props: TimeChartProps) {
  const { lines, startMs, endMs, stepSeconds, format } = props;
  const zone = usePrefs((state) => state.zone);
  const setParams = useSetParams();
  const target = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  const count = lines[0]?.points.length ?? 0;
  const times = useMemo(
    () => Array.from({ length: count }, (_, at) => startMs / 1000 + at * stepSeconds),
    [count, startMs, stepSeconds],
  );
  const { floor = 0, threshold, events } = props;
  const picture = useMemo(
    (): Picture => ({
      times,
      lines,
      startMs,
      endMs,
      zone,
      label: format,
      floor,
      threshold,
      ...(events === undefined ? {} : { events }),
    }),
    [times, lines, startMs, endMs, zone, format, floor, threshold, events],
  );

  const range = useRef((_from: number, _to: number) => {});
  range.current = (from, to) => setParams({ from: Math.round(from).toString(), to: Math.round(to).toString() });
  useLayoutEffect(() => {
    const element = target.current;
    if (element === null || asTable) return;
    const made = createPlot(element, props.sync, {
      onCursor: setCursor,
      onRange: (from, to) => range.current(from, to),
    });
    plot.current = made;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) made.resize(Math.floor(entry.contentRect.width), Math.floor(entry.contentRect.height));
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current = null;
      made.dispose();
    };
  }, [props.sync, asTable]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a plot made anew for `asTable` is shown its picture
  useEffect(() => {
    plot.current?.show(picture);
    return onThemeChange(() => plot.current?.show(picture));
  }, [picture, asTable]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined) {
      const at = Math.max(0, Math.min(count - 1, (cursor ?? (step > 0 ? -1 : count)) + step));
      plot.current?.cursorTo(at);
      setCursor(at);
    } else if (event.key === "Escape" && cursor !== null) plot.current?.cursorTo(null);
    else if (event.key === "d") setAsTable(!asTable);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const at = cursor ?? lastKnown(lines);
  return (
    <section className="chart" aria-labelledby={id}>
      <header className="chart-head">
        <h2 id={id}>{props.title}</h2>
        <span className="tiny faint cut">{props.unit}</span>
        <span className="spacer" />
        <Button look="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          Data
        </Button>
        {props.value !== undefined && <span className="chart-value">{props.value}</span>}
      </header>
      <div className="chart-legend small">
        {lines.map((line) => (
          <span key={line.name} className="chart-entry">
            <i className={`chart-tone ${toneClass(line)}`} aria-hidden="true" />
            {line.name} <b>{valueText(line.points[at], format)}</b>
          </span>
        ))}
        {cursor !== null && <span className="faint">at {clockSecond((times[cursor] ?? 0) * 1000, zone)}</span>}
      </div>
      {asTable ? (
        <DataOf picture={picture} title={props.title} />
      ) : (
        <div
          ref={target}
          className="chart-plot"
          style={{ height: props.height ?? 200 }}
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the crosshair is moved by arrow keys
          tabIndex={0}
          aria-label={`${props.title}, ${props.unit}. Arrow keys read values, d shows the numbers as a table.`}
          onKeyDown={onKeyDown}
        />
      )}
    </section>
  );
}

function toneClass(line: Line): string {
  const tone = typeof line.tone === "object" ? `slot-${line.tone.slot}` : `tone-${line.tone}`;
  return `${tone} ${line.dotted ? "tone-dotted" : ""}`;
}

function valueText(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "no data" : format(value);
}

function lastKnown(lines: readonly Line[]): number {
  const points = (lines.find((line) => line.subject) ?? lines[0])?.points ?? [];
  for (let at = points.length - 1; at >= 0; at--) if (points[at] !== null) return at;
  return points.length - 1;
}

/** The real numbers: the screen reader's way in, and copied as CSV. */
function DataOf({ picture, title }: { picture: Picture; title: string }) {
  const copy = () => {
    const head = ["time", ...picture.lines.map((line) => line.name)];
    const rows = picture.times.map((time, at) => [
      iso(time * 1000, picture.zone),
      ...picture.lines.map((line) => line.points[at] ?? ""),
    ]);
    const quoted = [head, ...rows].map((row) => row.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(","));
    void navigator.clipboard.writeText(quoted.join("\n"));
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section className="chart-data" aria-label={`${title}: numbers`} tabIndex={0}>
      <Button look="quiet" onClick={copy}>
        Copy as CSV
      </Button>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {picture.lines.map((line) => (
              <th key={line.name} scope="col">
                {line.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {picture.times.map((time, at) => (
            <tr key={time}>
              <td>{iso(time * 1000, picture.zone)}</td>
              {picture.lines.map((line) => (
                <td key={line.name}>{valueText(line.points[at], picture.label)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
