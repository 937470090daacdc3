// Monitor: one service's latency, errors and rate, and which operations its time goes to (Jaeger's service performance page).
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { overviewQuery, redQuery, servicesQuery } from "../../api/traces.ts";
import type { RedGroup } from "../../api/wire.ts";
import { useKeys } from "../../app/keys.ts";
import { Link } from "../../app/link.tsx";
import { one, useParams, useSetParams, useTime } from "../../app/location.ts";
import { stepSeconds, VERSUS_WORDS } from "../../app/range.ts";
import type { Line } from "../../charts/plot.ts";
import { TimeChart } from "../../charts/timechart.tsx";
import { msOfNanos } from "../../design/clock.ts";
import { Input, Segmented } from "../../design/controls.tsx";
import { change, duration, percent, plural, rate } from "../../design/format.ts";
import { CostLine, Foot, PageBody, PageHead } from "../../design/page.tsx";
import { ServiceName } from "../../design/service.tsx";
import { Busy, Empty, Partial, Problem } from "../../design/states.tsx";
import { Text } from "../../design/text.tsx";
import { Operations } from "./operations.tsx";
import { ServicePicker } from "./picker.tsx";
import { errorShares, overall, rates } from "./series.ts";
import "./monitor.css";

const KINDS = ["server", "client", "consumer", "all"] as const;
type Kind = (typeof KINDS)[number];
const KIND_WORDS: Record<Kind, string> = { server: "Server", client: "Client", consumer: "Consumer", all: "All kinds" };
/** The share of errors over which home calls a service broken; drawn as the objective. */
const OBJECTIVE = 0.01;

export function MonitorPage() {
  const params = useParams();
  const setParams = useSetParams();
  const { range, then, versus } = useTime();
  const services = useQuery(servicesQuery);
  const service = one(params, "service") ?? services.data?.[0] ?? "";
  const kind: Kind = KINDS.find((each) => each === one(params, "kind")) ?? "server";
  const filter = one(params, "q") ?? "";
  const step = stepSeconds(range);
  const field = useRef<HTMLInputElement>(null);
  const scroll = useRef<HTMLDivElement>(null);

  const question = { service, groupBy: "service", kind } as const;
  const enabled = service !== "";
  const whole = useQuery({ ...redQuery(question, range, step), enabled });
  const before = useQuery({ ...redQuery(question, then ?? range, step), enabled: enabled && then !== null });
  const operations = useQuery({ ...redQuery({ ...question, groupBy: "operation" }, range, step), enabled });
  const operationsThen = useQuery({
    ...redQuery({ ...question, groupBy: "operation" }, then ?? range, step),
    enabled: enabled && then !== null,
  });
  const overview = useQuery({ ...overviewQuery(range, then, step), enabled });
  const version = overview.data?.services.find((each) => each.name === service)?.why?.version ?? null;
  useKeys("Monitor", [{ keys: "/", does: "filter operations", run: () => field.current?.focus() }]);

  const rows = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    return (operations.data?.groups ?? []).filter((group) => group.operation.toLowerCase().includes(wanted));
  }, [operations.data, filter]);
  const busy = whole.isFetching || operations.isFetching;
  const error = whole.error ?? operations.error;

  return (
    <>
      <PageHead
        title="Monitor"
        knobs={
          <>
            <Link to="/search" params={{ service }} className="button">
              Traces
            </Link>
            <Link to="/dependencies" params={{ focus: service }} className="button">
              On the map
            </Link>
          </>
        }
      >
        <ServicePicker
          services={services.data ?? []}
          value={service}
          onChange={(next) => setParams({ service: next })}
        />
        <Segmented
          label="Kind of span"
          value={kind}
          choices={KINDS.map((value) => ({ value, label: KIND_WORDS[value] }))}
          onChange={(next) => setParams({ kind: next === "server" ? undefined : next })}
        />
        {version && (
          <span className="soft">
            version{" "}
            <b>
              <Text value={version.value} />
            </b>{" "}
            first seen in this range
          </span>
        )}
      </PageHead>
      <Busy busy={busy} words="Reading the service's minutes" />
      {whole.data && <Partial missing={whole.data.partial} />}
      <PageBody ref={scroll} className="monitor">
        {error && (
          <Problem
            what="This service's numbers"
            error={error}
            onRetry={() => {
              void whole.refetch();
              void operations.refetch();
            }}
          />
        )}
        {services.data?.length === 0 && (
          <Empty title="No service has sent spans yet">
            <p>
              Point an OpenTelemetry SDK at this machine's port 4317 (gRPC) or 4318 (HTTP); the first spans show here
              within a second.
            </p>
          </Empty>
        )}
        {whole.data && enabled && (
          <Charts
            group={overall(whole.data.groups)}
            then={then === null ? null : overall(before.data?.groups ?? [])}
            word={VERSUS_WORDS[versus].word}
            startMs={msOfNanos(whole.data.start)}
            endMs={msOfNanos(whole.data.end)}
            step={whole.data.stepSeconds}
            kind={kind}
            {...(version === null
              ? {}
              : { event: { ms: msOfNanos(version.firstSeen), label: version.value.slice(0, 16) } })}
          />
        )}
        {operations.data && enabled && (
          <>
            <header className="monitor-operations">
              <h2>{plural(rows.length, "operation")}</h2>
              <span className="tiny faint">impact: share of the service's total time</span>
              <span className="spacer" />
              <Input
                ref={field}
                placeholder="Filter operations"
                aria-label="Filter operations"
                value={filter}
                onChange={(event) => setParams({ q: event.target.value || undefined }, true)}
              />
            </header>
            <Operations
              service={service}
              groups={rows}
              then={then === null ? null : (operationsThen.data?.groups ?? [])}
              word={VERSUS_WORDS[versus].word}
              seconds={(range.endMs - range.startMs) / 1000}
              scroll={scroll}
            />
          </>
        )}
        {whole.data && whole.data.groups.length === 0 && enabled && (
          <Empty title="No spans of this kind in this range">
            <p>
              <ServiceName name={service} /> has none here. Look at{" "}
              <Link to="/monitor" params={{ service, kind: "all" }}>
                all kinds
              </Link>
              , or widen the range.
            </p>
          </Empty>
        )}
      </PageBody>
      <Foot end={<span>{`${step} s a point; quantiles from histograms`}</span>}>
        <CostLine answer={whole.data} />
      </Foot>
    </>
  );
}

interface ChartsProps {
  group: RedGroup | null;
  then: RedGroup | null;
  word: string;
  startMs: number;
  endMs: number;
  step: number;
  kind: Kind;
  event?: { ms: number; label: string };
}

function Charts({ group, then, word, startMs, endMs, step, kind, event }: ChartsProps) {
  const lines = useMemo(() => linesOf(group, then, word, step), [group, then, word, step]);
  const events = useMemo(() => (event === undefined ? [] : [event]), [event]);
  if (group === null) return null;
  const seconds = (endMs - startMs) / 1000;
  const shared = { startMs, endMs, stepSeconds: step, sync: "monitor", events };
  const share = group.calls > 0 ? group.errors / group.calls : 0;
  const slower = change(group.p95Nano, then?.p95Nano);
  const words = kind === "all" ? "all spans" : `${kind} spans`;
  return (
    <div className="monitor-charts">
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
