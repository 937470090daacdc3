import { useMemo } from "react";
import type { TraceSummary } from "../../api/wire.ts";
import { duration, plural } from "../../design/format.ts";
import { binDurations } from "./model.ts";

interface DistributionProps {
  now: readonly TraceSummary[];
  then: readonly TraceSummary[];
  /** More than this were not fetched. */
  most: number;
  word: string;
}

/** Durations of the traces of both ranges: B as bars, A as an outline over them, and the numbers in a table. */
export function Distribution({ now, then, most, word }: DistributionProps) {
  const bins = useMemo(
    () =>
      binDurations(
        now.map((trace) => trace.durationNano),
        then.map((trace) => trace.durationNano),
      ),
    [now, then],
  );
  const top = Math.max(
    1e-9,
    ...bins.map((bin) => Math.max(bin.now / Math.max(1, now.length), bin.then / Math.max(1, then.length))),
  );
  const outline = bins
    .map((bin, at) => {
      const y = 100 - ((bin.then / Math.max(1, then.length)) * 100) / top;
      return `${at === 0 ? "M" : "L"}${at} ${y}H${at + 1}`;
    })
    .join("");
  const cut = (list: readonly unknown[]) => (list.length >= most ? ` (the newest ${most})` : "");
  return (
    <section className="compare-part">
      <h2>Durations of traces</h2>
      <p className="small faint">
        bars: {plural(now.length, "trace")} of B{cut(now)} · line: {plural(then.length, "trace")} {word}
        {cut(then)}
      </p>
      {bins.length > 0 && (
        <>
          <svg
            className="compare-bins"
            viewBox={`0 0 ${bins.length} 100`}
            preserveAspectRatio="none"
            aria-hidden="true"
          >
            {bins.map((bin, at) => {
              const height = ((bin.now / Math.max(1, now.length)) * 100) / top;
              return <rect key={bin.lowNano} x={at + 0.05} width={0.9} y={100 - height} height={height} />;
            })}
            <path d={outline} />
          </svg>
          <div className="compare-ends tiny faint">
            <span>{duration(bins[0]?.lowNano)}</span>
            <span>{duration(bins.at(-1)?.highNano)}</span>
          </div>
          <details>
            <summary className="small">Data</summary>
            <table className="plain-table">
              <thead>
                <tr>
                  <th scope="col">From</th>
                  <th scope="col">To</th>
                  <th scope="col">A</th>
                  <th scope="col">B</th>
                </tr>
              </thead>
              <tbody>
                {bins.map((bin) => (
                  <tr key={bin.lowNano}>
                    <td>{duration(bin.lowNano)}</td>
                    <td>{duration(bin.highNano)}</td>
                    <td>{bin.then}</td>
                    <td>{bin.now}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      )}
    </section>
  );
}
