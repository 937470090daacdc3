import { memo } from "react";
import type { OverviewService } from "../../api/wire.ts";
import { Link } from "../../app/link.tsx";
import { usePrefs } from "../../app/prefs.ts";
import { ServiceSwatch } from "../../design/service.tsx";
import { Spark } from "../../design/spark.tsx";
import { Text } from "../../design/text.tsx";
import { type Cell, cells, errorShares, sentence } from "./model.ts";

interface RowProps {
  service: OverviewService;
  /** Length of the range. */
  seconds: number;
  /** Events on the x axis, 0 … 1. */
  marks: readonly number[];
  /** What the compared range is called; empty when nothing is compared. */
  word: string;
  onData: (service: OverviewService) => void;
}

const HEIGHTS = { broken: 54, slower: 32, usual: 20 };
/** Shares below this are drawn against it, so that noise stays flat. */
const SHARE_FLOOR = 0.01;

/** One service. Importance is height: broken 68, slower 44, as usual 26 pixels. */
export const ServiceRow = memo(function ServiceRow({ service, seconds, marks, word, onData }: RowProps) {
  const zone = usePrefs((state) => state.zone);
  const { state, series, thenSeries } = service;
  const { headline, details } = sentence(service, zone, word);
  const { rate, errors, p95 } = cells(service, seconds);
  const height = HEIGHTS[state];
  const shown = state === "usual" ? [] : marks;
  return (
    <div className={`home-row home-${state}`} data-service={service.name}>
      <div className="home-service">
        <ServiceSwatch name={service.name} tall />
        <div className="home-words">
          <Link to="/monitor" params={{ service: service.name }} className="home-link">
            <Text value={service.name} />
          </Link>
          {state !== "usual" && headline !== "" && (
            <span className={`home-why ${state === "broken" ? "err" : "soft"}`}>
              <b>{headline}</b>
            </span>
          )}
          {state !== "usual" && details.length > 0 && <span className="home-why faint">{details.join(" · ")}</span>}
        </div>
      </div>
      <Metric name="Rate" cell={rate} word={word} className="home-rate">
        <Spark points={series.calls} ghost={thenSeries?.calls} height={height} marks={shown} />
      </Metric>
      <Metric name="Errors" cell={errors} word={word} className="home-errors">
        <Spark
          points={errorShares(series)}
          ghost={thenSeries && errorShares(thenSeries)}
          floor={SHARE_FLOOR}
          height={height}
          tone={errors.tone === "err" ? "err" : "ink"}
          area={errors.tone === "err"}
          marks={shown}
        />
      </Metric>
      <Metric name="p95" cell={p95} word={word} className="home-p95">
        <Spark
          points={series.p95Nano}
          ghost={thenSeries?.p95Nano}
          height={height}
          tone={p95.tone === "warn" ? "warn" : "ink"}
          marks={shown}
        />
      </Metric>
      <button
        type="button"
        className="home-data"
        onClick={() => onData(service)}
        title="The numbers behind the lines (d)"
      >
        Data<span className="visually-hidden"> of {service.name.slice(0, 80)}</span>
      </button>
    </div>
  );
});

interface MetricProps {
  name: string;
  cell: Cell;
  word: string;
  className: string;
  children: React.ReactNode;
}

function Metric({ name, cell, word, className, children }: MetricProps) {
  const against = cell.delta.endsWith("×") && word !== "" ? ` ${word}` : "";
  return (
    <div className={`home-cell ${className}`}>
      <div className={`home-value ${cell.tone}`}>
        <span className="visually-hidden">{name} </span>
        <b>{cell.value}</b>
        <span className="home-delta">
          {cell.delta}
          <span className="home-against">{against}</span>
        </span>
      </div>
      <div className="home-spark">{children}</div>
    </div>
  );
}
