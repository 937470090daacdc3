// Latency, errors and rate of one group side by side, the compared range as a dotted ghost.
import { useMemo } from "react";
import type { RedGroup } from "../api/wire.ts";
import { change, duration, percent, rate } from "../design/format.ts";
import type { Line } from "./plot.ts";
import { errorShares, rates } from "./red.ts";
import { TimeChart } from "./timechart.tsx";
import "./redcharts.css";

export const KINDS = ["server", "client", "consumer", "all"] as const;
export type Kind = (typeof KINDS)[number];
export const KIND_WORDS: Record<Kind, string> = {
  server: "Server",
  client: "Client",
  consumer: "Consumer",
  all: "All kinds",
};
/** The share of errors that is drawn as the objective; what home calls broken is the server's rule. */
const OBJECTIVE = 0.01;

interface RedChartsProps {
  group: RedGroup | null;
  then: RedGroup | null;
  word: string;
  startMs: number;
  endMs: number;
  step: number;
  kind: Kind;
  event?: { ms: number; label: string };
}

export function RedCharts({ group, then, word, startMs, endMs, step, kind, event }: RedChartsProps) {
  const lines = useMemo(() => linesOf(group, then, word, step), [group, then, word, step]);
  const events = useMemo(() => (event === undefined ? [] : [event]), [event]);
  if (group === null) return null;
  const seconds = (endMs - startMs) / 1000;
  const shared = { startMs, endMs, stepSeconds: step, sync: "monitor", events };
  const share = group.calls > 0 ? group.errors / group.calls : 0;
  const slower = change(group.p95Nano, then?.p95Nano);
  const words = kind === "all" ? "all spans" : `${kind} spans`;
  return (
    <div className="red-charts">
      <TimeChart
        title="Latency"
        unit={`p50, p75, p95, ${words}`}
        value={
          <span className={slower !== "" && !slower.startsWith("−") ? "warn" : ""}>{duration(group.p95Nano)}</span>
        }
        lines={lines.latency}
        format={duration}
        {...shared}
      />
      <TimeChart
        title="Errors"
        unit="share of requests"
        value={<span className={share > OBJECTIVE ? "err" : ""}>{percent(share)}</span>}
        lines={lines.errors}
        format={percent}
        floor={0.01}
        threshold={{ value: OBJECTIVE, words: "objective 1 %" }}
        {...shared}
      />
      <TimeChart
        title="Rate"
        unit="requests per second"
        value={rate(group.calls / seconds)}
        lines={lines.rate}
        format={rate}
        {...shared}
      />
    </div>
  );
}

function linesOf(group: RedGroup | null, then: RedGroup | null, word: string, step: number) {
  if (group === null) return { latency: [], errors: [], rate: [] };
  const ghost = (name: string, points: Line["points"] | undefined): Line[] =>
    points === undefined ? [] : [{ name, points, tone: "ghost", dotted: true }];
  return {
    latency: [
      { name: "p95", points: group.series.p95Nano, tone: "p95", subject: true },
      { name: "p75", points: group.series.p75Nano, tone: "p75" },
      { name: "p50", points: group.series.p50Nano, tone: "p50" },
      ...ghost(`p95 ${word}`, then?.series.p95Nano),
    ] satisfies Line[],
    errors: [
      { name: "errors", points: errorShares(group), tone: "err", subject: true, area: true },
      ...ghost(word, then ? errorShares(then) : undefined),
    ] satisfies Line[],
    rate: [
      { name: "rate", points: rates(group, step), tone: "ink", subject: true },
      ...ghost(word, then ? rates(then, step) : undefined),
    ] satisfies Line[],
  };
}
