// A service, an operation or a search now, against an earlier range: what differs, and where the difference comes from.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { graphQuery, operationsQuery, redQuery, searchPage, servicesQuery } from "../../api/traces.ts";
import type { GraphEdge } from "../../api/wire.ts";
import { Link } from "../../app/link.tsx";
import { all, one, useParams, useSetParams, useTime } from "../../app/location.ts";
import { usePrefs } from "../../app/prefs.ts";
import { type Range, stepSeconds, VERSUS_WORDS, type Versus } from "../../app/range.ts";
import { overall } from "../../charts/red.ts";
import { RedCharts } from "../../charts/redcharts.tsx";
import { dayMinute, msOfNanos, nanosOfMs } from "../../design/clock.ts";
import { Button, Segmented, Select } from "../../design/controls.tsx";
import { change, duration, percent } from "../../design/format.ts";
import { CostLine, Foot, PageBody, PageHead } from "../../design/page.tsx";
import { ServiceName } from "../../design/service.tsx";
import { ServicePicker } from "../../design/servicepicker.tsx";
import { Busy, Empty, Partial, Problem } from "../../design/states.tsx";
import { Text } from "../../design/text.tsx";
import { Changes } from "./changes.tsx";
import { Distribution } from "./distribution.tsx";
import { type Comparison, compareRanges } from "./model.ts";
import "./compare.css";

/** The most traces that are fetched of each range. */
const SAMPLE = 1500;

function sampleQuery(subject: Record<string, string | readonly string[] | undefined>, range: Range | null) {
  const query = {
    ...subject,
    start: nanosOfMs(range?.startMs ?? 0),
    end: nanosOfMs(range?.endMs ?? 0),
    limit: SAMPLE,
    order: "newest",
  };
  return {
    queryKey: ["compare-sample", query],
    queryFn: ({ signal }: { signal: AbortSignal }) => searchPage(query, signal),
  };
}

export function ComparePage() {
  const params = useParams();
  const setParams = useSetParams();
  const { range, then, versus } = useTime();
  const zone = usePrefs((state) => state.zone);
  const services = useQuery(servicesQuery);
  const service = one(params, "service") ?? services.data?.[0] ?? "";
  const operation = one(params, "operation") ?? "";
  const tags = all(params, "tag");
  const operations = useQuery(operationsQuery(service));
  const step = stepSeconds(range);
  const scroll = useRef<HTMLDivElement>(null);
  const enabled = service !== "" && then !== null;

  const question = { service, groupBy: "operation", kind: "all" } as const;
  const now = useQuery({ ...redQuery(question, range, step), enabled });
  const before = useQuery({ ...redQuery(question, then ?? range, step), enabled });
  const whole = { service, groupBy: "service", kind: "all" } as const;
  const overallNow = useQuery({ ...redQuery(whole, range, step), enabled: enabled && operation === "" });
  const overallThen = useQuery({ ...redQuery(whole, then ?? range, step), enabled: enabled && operation === "" });
  const graph = useQuery({ ...graphQuery(range, then), enabled });
  const subject = { service, operation: operation || undefined, tag: tags };
  const sample = useQuery({ ...sampleQuery(subject, range), enabled });
  const sampleThen = useQuery({ ...sampleQuery(subject, then), enabled });

  const comparison = useMemo(() => {
    const wanted = (groups: typeof now.data) =>
      (groups?.groups ?? []).filter((group) => operation === "" || group.operation === operation);
    return now.data && before.data ? compareRanges(wanted(now.data), wanted(before.data)) : null;
  }, [now.data, before.data, operation]);
  const word = VERSUS_WORDS[versus].word;
  const drawn = (byOperation: typeof now.data, byService: typeof now.data) =>
    overall(
      operation === ""
        ? (byService?.groups ?? [])
        : (byOperation?.groups ?? []).filter((group) => group.operation === operation),
    );
  const error = now.error ?? before.error;
  const pair = pairOf(sample.data?.traces, sampleThen.data?.traces);

  return (
    <>
      <PageHead
        title="Compare"
        knobs={
          <Segmented
            label="Compare with"
            value={versus}
            choices={(["prev", "1d", "7d"] as const).map((value) => ({ value, label: VERSUS_WORDS[value].word }))}
            onChange={(next: Versus) => setParams({ vs: next })}
          />
        }
      >
        <ServicePicker
          services={services.data ?? []}
          value={service}
          onChange={(next) => setParams({ service: next, operation: undefined })}
        />
        <Select
          aria-label="Operation"
          className="compare-operation"
          value={operation}
          onChange={(event) => setParams({ operation: event.target.value || undefined })}
        >
          <option value="">All operations</option>
          {(operations.data ?? []).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </Select>
        {tags.length > 0 && (
          <span className="soft small">
            traces with{" "}
            <code>
              <Text value={tags.join(" ")} />
            </code>
          </span>
        )}
      </PageHead>
      <Busy busy={now.isFetching || before.isFetching || sample.isFetching} words="Comparing both ranges" />
      {now.data && <Partial missing={now.data.partial} />}
      <PageBody ref={scroll} className="compare">
        {then === null && (
          <Empty title="Nothing to compare with">
            <p>
              Choose an earlier range: <Button onClick={() => setParams({ vs: "prev" })}>the time just before</Button>{" "}
              <Button onClick={() => setParams({ vs: "1d" })}>yesterday</Button>
            </p>
          </Empty>
        )}
        {error && (
          <Problem
            what="The comparison"
            error={error}
            onRetry={() => {
              void now.refetch();
              void before.refetch();
            }}
          />
        )}
        {comparison && then !== null && now.data && before.data && (
          <>
            <Sentence comparison={comparison} word={word} />
            <p className="compare-ranges small faint">
              B: {dayMinute(range.startMs, zone)} to {dayMinute(range.endMs, zone)} · A ({word}):{" "}
              {dayMinute(then.startMs, zone)} to {dayMinute(then.endMs, zone)}
              {pair && (
                <>
                  {" · "}
                  <Link to={`/trace/${pair.then}...${pair.now}`}>a typical trace of A beside the slowest of B</Link>
                </>
              )}
            </p>
            <RedCharts
              group={drawn(now.data, overallNow.data)}
              then={drawn(before.data, overallThen.data)}
              word={word}
              startMs={msOfNanos(now.data.start)}
              endMs={msOfNanos(now.data.end)}
              step={now.data.stepSeconds}
              kind="all"
            />
            <Changes comparison={comparison} service={service} scroll={scroll} />
            {graph.data && <Callees edges={graph.data.edges.filter((edge) => edge.caller === service)} />}
            {sample.data && sampleThen.data && (
              <Distribution now={sample.data.traces} then={sampleThen.data.traces} most={SAMPLE} word={word} />
            )}
          </>
        )}
      </PageBody>
      <Foot end={<span>what operations add is their share of the time per call, so it adds up</span>}>
        <CostLine answer={now.data} />
      </Foot>
    </>
  );
}

interface Timed {
  readonly traceId: string;
  readonly durationNano: number;
}

/** A trace of the middle of A and the slowest of B. */
function pairOf(now: readonly Timed[] | undefined, then: readonly Timed[] | undefined) {
  const slowest = [...(now ?? [])].sort((a, b) => b.durationNano - a.durationNano)[0];
  const sorted = [...(then ?? [])].sort((a, b) => a.durationNano - b.durationNano);
  const typical = sorted[Math.floor(sorted.length / 2)];
  return slowest && typical ? { now: slowest.traceId, then: typical.traceId } : null;
}

function Sentence({ comparison, word }: { comparison: Comparison; word: string }) {
  const { meanNano, thenMeanNano, changes } = comparison;
  if (meanNano === null) return <p className="compare-sentence">No calls in this range.</p>;
  if (thenMeanNano === null) {
    return (
      <p className="compare-sentence">
        {duration(meanNano)} a call; no calls {word}, so there is nothing to compare.
      </p>
    );
  }
  const added = meanNano - thenMeanNano;
  const most = changes.find((one) => Math.sign(one.addedNano) === Math.sign(added) && one.addedNano !== 0);
  const factor = change(meanNano, thenMeanNano);
  return (
    <p className="compare-sentence">
      A call takes <b>{duration(meanNano)}</b>,{" "}
      {factor === "" ? (
        <>as {word}</>
      ) : (
        <>
          <b className={added > 0 ? "warn" : "better"}>
            {added > 0 ? "+" : "−"}
            {duration(Math.abs(added))}
          </b>{" "}
          against {word} ({duration(thenMeanNano)})
        </>
      )}
      {most && factor !== "" && (
        <>
          ; {percent(Math.min(1, most.addedNano / added))} of it is <Text value={most.operation} />
        </>
      )}
      .
    </p>
  );
}

function Callees({ edges }: { edges: readonly GraphEdge[] }) {
  if (edges.length === 0) return null;
  const share = (numbers: { calls: number; errors: number } | null) =>
    numbers && numbers.calls > 0 ? numbers.errors / numbers.calls : null;
  return (
    <section className="compare-part">
      <h2>What it calls</h2>
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">Callee</th>
            <th scope="col">Calls A</th>
            <th scope="col">Calls B</th>
            <th scope="col">Errors A</th>
            <th scope="col">Errors B</th>
            <th scope="col">p95 A</th>
            <th scope="col">p95 B</th>
            <th scope="col">Change</th>
          </tr>
        </thead>
        <tbody>
          {edges.map((edge) => {
            const slower = change(edge.p95Nano, edge.then?.p95Nano);
            return (
              <tr key={edge.callee}>
                <th scope="row">
                  <ServiceName name={edge.callee} />
                </th>
                <td>{edge.then?.calls ?? 0}</td>
                <td>{edge.calls}</td>
                <td>{percent(share(edge.then))}</td>
                <td className={(share(edge) ?? 0) > 0.01 ? "err" : ""}>{percent(share(edge))}</td>
                <td>{duration(edge.then?.p95Nano)}</td>
                <td>{duration(edge.p95Nano)}</td>
                <td className={/^[+\d]/.test(slower) ? "warn" : slower === "" ? "faint" : "better"}>
                  {slower || "same"}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
