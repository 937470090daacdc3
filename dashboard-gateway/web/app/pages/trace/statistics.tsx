// Statistics: where the time went, by service, operation, kind or any attribute; heat behind the numbers of one column.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { manySpans } from "../../api/trace.ts";
import { Input, Segmented } from "../../design/controls.tsx";
import { count, duration, percent } from "../../design/format.ts";
import { ServiceSwatch } from "../../design/service.tsx";
import { Notice, Problem } from "../../design/states.tsx";
import { type Column, DataTable, type Sort } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { valueText } from "../../trace/details.ts";
import {
  byOperation,
  byService,
  byServiceAndOperation,
  byValue,
  type Grouping,
  type Statistic,
  statistics,
} from "../../trace/statistics.ts";
import { kindOf } from "../../trace/trace.ts";
import type { TabProps } from "./tabprops.ts";

type By = "service" | "operation" | "both" | "kind" | "attribute";

/** Attributes of more spans than this are not fetched for grouping; the head says so. */
const ATTRIBUTE_SPANS_MAX = 20_000;

export function StatisticsTab(props: TabProps) {
  const { analysis, model } = props;
  const [by, setBy] = useState<By>("both");
  const [key, setKey] = useState("");
  const [sort, setSort] = useState<Sort>({ key: "self", descending: true });
  const [within, setWithin] = useState<Statistic | null>(null);
  const values = useAttribute(props, by === "attribute" ? key : "");
  const scroll = useRef<HTMLDivElement>(null);
  const measures = useMemo(() => ({ self: analysis.self, critical: analysis.path.perRow }), [analysis]);
  const grouping = useMemo(() => groupingOf(analysis, by, values.data), [analysis, by, values.data]);
  const rows = useMemo(
    () => statistics(analysis.trace, measures, grouping, within?.rows),
    [analysis, measures, grouping, within],
  );
  const sorted = useMemo(() => ordered(rows, sort), [rows, sort]);
  const onSort = (next: string) =>
    setSort({ key: next, descending: sort.key === next ? !sort.descending : next !== "key" });
  return (
    <>
      <div className="stat-knobs">
        <Segmented
          label="Group by"
          value={by}
          choices={[
            { value: "service", label: "Service" },
            { value: "operation", label: "Operation" },
            { value: "both", label: "Both" },
            { value: "kind", label: "Kind" },
            { value: "attribute", label: "Attribute" },
          ]}
          onChange={setBy}
        />
        {by === "attribute" && (
          <Input
            className="stat-key"
            aria-label="Attribute key"
            placeholder="key, such as http.route"
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        )}
        {within !== null && (
          <button type="button" className="button" onClick={() => setWithin(null)}>
            only in <Text value={within.key} /> ×
          </button>
        )}
        <span className="faint">
          {count(rows.length)} groups · a row opens its slowest span, <kbd>x</kbd> looks inside a group
        </span>
      </div>
      {by === "attribute" && values.isError && (
        <Problem what="The attributes" error={values.error} onRetry={() => void values.refetch()} />
      )}
      {by === "attribute" && analysis.trace.count > ATTRIBUTE_SPANS_MAX && (
        <Notice>Grouped over the first {count(ATTRIBUTE_SPANS_MAX)} spans; the others stand under “not read”.</Notice>
      )}
      <div className="trace-scroll stat-table" ref={scroll}>
        <DataTable
          label="Statistics"
          rows={sorted}
          columns={columnsOf(analysis, by)}
          rowKey={(row) => row.key + (row.service ?? "")}
          rowHeight={24}
          scroll={scroll}
          sort={sort}
          onSort={onSort}
          onOpen={(row) => props.onSelect(slowest(analysis, row))}
          onRowKey={(row, pressed) => {
            if (pressed === "x") setWithin(row);
            return pressed === "x";
          }}
          selected={(row) => model.selected !== null && row.rows.length < 1000 && row.rows.includes(model.selected)}
        />
      </div>
    </>
  );
}

function slowest(analysis: Analysis, row: Statistic): number {
  const { duration: took } = analysis.trace.columns;
  let best = row.rows[0] ?? 0;
  for (const one of row.rows) if ((took[one] ?? 0) > (took[best] ?? 0)) best = one;
  return best;
}

function useAttribute({ analysis, traceKey }: TabProps, key: string) {
  return useQuery({
    queryKey: ["trace-attribute", traceKey, key],
    queryFn: async ({ signal }) => {
      const rows = Array.from({ length: Math.min(analysis.trace.count, ATTRIBUTE_SPANS_MAX) }, (_, row) => row);
      const spans = await manySpans(traceKey, rows, () => undefined, signal);
      const found = new Map<number, string>();
      for (const span of spans) {
        const one =
          span.attributes.find((attribute) => attribute.key === key) ??
          span.resource.find((attribute) => attribute.key === key);
        if (one !== undefined) found.set(span.row, valueText(one));
      }
      return found;
    },
    enabled: key !== "",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

function groupingOf(analysis: Analysis, by: By, values: ReadonlyMap<number, string> | undefined): Grouping {
  const { trace } = analysis;
  switch (by) {
    case "service":
      return byService(trace);
    case "operation":
      return byOperation(trace);
    case "both":
      return byServiceAndOperation(trace);
    case "kind":
      return byValue((row) => kindOf(trace, row), "");
    case "attribute":
      return byValue((row) => (row >= ATTRIBUTE_SPANS_MAX ? "not read" : (values?.get(row) ?? null)), "without it");
  }
}

const VALUES: Record<string, (row: Statistic) => number> = {
  count: (row) => row.count,
  errors: (row) => row.errors,
  total: (row) => row.duration.total,
  avg: (row) => row.duration.avg,
  min: (row) => row.duration.min,
  max: (row) => row.duration.max,
  self: (row) => row.self.total,
  selfAvg: (row) => row.self.avg,
  selfMin: (row) => row.self.min,
  selfMax: (row) => row.self.max,
  share: (row) => row.share,
  critical: (row) => row.critical,
};

function ordered(rows: readonly Statistic[], sort: Sort): Statistic[] {
  const sign = sort.descending ? -1 : 1;
  const value = VALUES[sort.key];
  const compare =
    value === undefined
      ? (a: Statistic, b: Statistic) => (a.key < b.key ? -1 : 1)
      : (a: Statistic, b: Statistic) => value(a) - value(b);
  return [...rows].sort((a, b) => sign * compare(a, b));
}

function columnsOf(analysis: Analysis, by: By): Column<Statistic>[] {
  const time = (key: string, head: string): Column<Statistic> => ({
    key,
    head,
    width: "72px",
    align: "right",
    sorts: true,
    cell: (row) => duration(VALUES[key]?.(row)),
  });
  return [
    {
      key: "key",
      head:
        by === "both"
          ? "Service and operation"
          : by === "attribute"
            ? "Value"
            : by === "kind"
              ? "Kind"
              : by === "service"
                ? "Service"
                : "Operation",
      width: "minmax(260px, 1fr)",
      sorts: true,
      cell: (row) => (
        <span className="service cut">
          {row.service !== null && <ServiceSwatch name={row.service} />}
          {by === "both" && row.service !== null && (
            <b className="soft">
              <Text value={row.service} />
            </b>
          )}
          <Text value={row.key} />
        </span>
      ),
    },
    { key: "count", head: "Count", width: "64px", align: "right", sorts: true, cell: (row) => count(row.count) },
    {
      key: "errors",
      head: "Errors",
      width: "60px",
      align: "right",
      sorts: true,
      cell: (row) => (row.errors > 0 ? <b className="err">{count(row.errors)}</b> : <span className="faint">0</span>),
    },
    time("total", "Total"),
    time("avg", "Avg"),
    time("min", "Min"),
    time("max", "Max"),
    time("self", "Self"),
    time("selfAvg", "Self avg"),
    time("selfMax", "Self max"),
    {
      key: "share",
      head: "Self share",
      width: "112px",
      align: "right",
      sorts: true,
      cell: (row) => <Share value={row.share} />,
    },
    {
      key: "critical",
      head: "On path",
      width: "72px",
      align: "right",
      sorts: true,
      cell: (row) => percent(analysis.trace.durationNano > 0 ? row.critical / analysis.trace.durationNano : 0),
    },
  ];
}

const BAR = 52;

/** A bar of ink from one zero, and the number. */
function Share({ value }: { value: number }) {
  return (
    <span className="stat-share">
      <i style={{ width: Math.min(1, value) * BAR }} />
      {percent(value)}
    </span>
  );
}
