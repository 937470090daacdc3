// A line in a cell. Drawn in units of its own data and stretched by the SVG, so that it never reads a layout.
import "./spark.css";

type Points = readonly (number | null)[];

interface SparkProps {
  points: Points;
  /** The compared range, dotted. */
  ghost?: Points | null | undefined;
  /** The top of the y axis is at least this. */
  floor?: number;
  height: number;
  tone?: "ink" | "err" | "warn";
  area?: boolean;
  /** Positions of events on the x axis, 0 … 1. */
  marks?: readonly number[];
}

const HEIGHT = 100;

/** The path of a series; a missing point lifts the pen. */
export function sparkPath(points: Points, top: number): string {
  let path = "";
  let down = false;
  points.forEach((value, index) => {
    if (value === null) {
      down = false;
      return;
    }
    path += `${down ? "L" : "M"}${index} ${((1 - Math.min(value, top) / top) * HEIGHT).toFixed(1)}`;
    down = true;
  });
  return path;
}

/** The same, closed down to zero, one piece per unbroken run. */
export function areaPath(points: Points, top: number): string {
  let path = "";
  let run = -1;
  const close = (end: number) => {
    if (run >= 0 && end > run) {
      path += `M${run} ${HEIGHT}${sparkPath(points.slice(run, end), top).replace(/([ML])(\d+)/g, (_, __, x) => `L${Number(x) + run}`)}L${end - 1} ${HEIGHT}Z`;
    }
    run = -1;
  };
  points.forEach((value, index) => {
    if (value === null) close(index);
    else if (run < 0) run = index;
  });
  close(points.length);
  return path;
}

export function Spark({ points, ghost, floor = 0, height, tone = "ink", area = false, marks = [] }: SparkProps) {
  let top = floor;
  for (const value of points) if (value !== null && value > top) top = value;
  for (const value of ghost ?? []) if (value !== null && value > top) top = value;
  if (top <= 0) top = 1;
  top *= 1.06;
  const width = Math.max(1, points.length - 1);
  return (
    <svg
      className={`spark spark-${tone}`}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      height={height}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path className="spark-zero" d={`M0 ${HEIGHT}H${width}`} />
      {ghost && <path className="spark-ghost" d={sparkPath(ghost, top)} />}
      {area && <path className="spark-area" d={areaPath(points, top)} />}
      <path className="spark-line" d={sparkPath(points, top)} />
      {marks.map((at) => (
        <path key={at} className="spark-mark" d={`M${at * width} 0V${HEIGHT}`} />
      ))}
    </svg>
  );
}
