// Monitor: one service's latency, errors and rate, and which operations its time goes to (Jaeger's service performance page).
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { overviewQuery, redQuery, servicesQuery } from "../../api/traces.ts";
import { useKeys } from "../../app/keys.ts";
import { Link } from "../../app/link.tsx";
import { one, useParams, useSetParams, useTime } from "../../app/location.ts";
import { stepSeconds, VERSUS_WORDS } from "../../app/range.ts";
import { overall } from "../../charts/red.ts";
import { KIND_WORDS, KINDS, type Kind, RedCharts } from "../../charts/redcharts.tsx";
import { msOfNanos } from "../../design/clock.ts";
import { Input, Segmented } from "../../design/controls.tsx";
import { plural } from "../../design/format.ts";
import { CostLine, Foot, PageBody, PageHead } from "../../design/page.tsx";
import { ServiceName } from "../../design/service.tsx";
import { ServicePicker } from "../../design/servicepicker.tsx";
import { Busy, Empty, Partial, Problem } from "../../design/states.tsx";
import { Text } from "../../design/text.tsx";
import { Operations } from "./operations.tsx";
import "./monitor.css";

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
          <RedCharts
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
