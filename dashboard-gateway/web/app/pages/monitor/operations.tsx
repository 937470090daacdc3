import { type RefObject, useMemo, useState } from "react";
import type { RedGroup } from "../../api/wire.ts";
import { Link } from "../../app/link.tsx";
import { errorShares, impacts } from "../../charts/red.ts";
import { change, duration, percent, rate } from "../../design/format.ts";
import { Spark } from "../../design/spark.tsx";
import { type Column, DataTable, type Sort } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";

interface OperationsProps {
  service: string;
  groups: readonly RedGroup[];
  /** The compared range's groups; null when nothing is compared. */
  then: readonly RedGroup[] | null;
  word: string;
  seconds: number;
  scroll: RefObject<HTMLElement | null>;
}

interface Row {
  readonly group: RedGroup;
  readonly then: RedGroup | null;
  readonly impact: number;
  readonly share: number;
}

/** Shares under one percent are drawn against one percent, so that noise stays flat. */
const SHARE_FLOOR = 0.01;
const BROKEN_OVER = 0.01;

const keyOf = (group: RedGroup) => `${group.operation}\0${group.kind}`;

const VALUES: Record<string, (row: Row) => string | number> = {
  operation: (row) => row.group.operation,
  rate: (row) => row.group.calls,
  errors: (row) => row.share,
  p50: (row) => row.group.p50Nano ?? -1,
  p75: (row) => row.group.p75Nano ?? -1,
  p95: (row) => row.group.p95Nano ?? -1,
  change: (row) => (row.group.p95Nano ?? 0) / (row.then?.p95Nano || Number.POSITIVE_INFINITY),
  impact: (row) => row.impact,
};

export function Operations({ service, groups, then, word, seconds, scroll }: OperationsProps) {
  const [sort, setSort] = useState<Sort>({ key: "impact", descending: true });
  const rows = useMemo(() => {
    const before = new Map((then ?? []).map((group) => [keyOf(group), group]));
    const shares = impacts(groups);
    const made = groups.map((group) => ({
      group,
      then: before.get(keyOf(group)) ?? null,
      impact: shares.get(group) ?? 0,
      share: group.calls > 0 ? group.errors / group.calls : 0,
    }));
    const value = VALUES[sort.key];
    const sign = sort.descending ? -1 : 1;
    return made.sort((a, b) => {
      const [x, y] = [value?.(a) ?? 0, value?.(b) ?? 0];
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
    });
  }, [groups, then, sort]);
  const columns = useMemo(
    () => columnsOf(service, seconds, then === null ? null : word),
    [service, seconds, then, word],
  );
  return (
    <DataTable
      label="Operations"
      rows={rows}
      columns={columns}
      rowKey={(row) => keyOf(row.group)}
      scroll={scroll}
      sort={sort}
      onSort={(key) =>
        setSort((held) => ({ key, descending: held.key === key ? !held.descending : key !== "operation" }))
      }
    />
  );
}

function columnsOf(service: string, seconds: number, word: string | null): Column<Row>[] {
  const number = (key: string, head: string, cell: Column<Row>["cell"], small = false): Column<Row> => ({
    key,
    head,
    width: "80px",
    align: "right",
    sorts: true,
    cell,
    ...(small ? { className: "hide-small" } : {}),
  });
  const spark = (key: string, cell: Column<Row>["cell"]): Column<Row> => ({
    key,
    head: null,
    width: "minmax(48px, 110px)",
    className: "hide-small",
    cell,
  });
  const slower = (row: Row) => change(row.group.p95Nano, row.then?.p95Nano);
  const toneOf = (row: Row) => (/^[+\d]/.test(slower(row)) ? "warn" : "ink");
  return [
    {
      key: "operation",
      head: "Operation",
      width: "minmax(140px, 2.4fr)",
      sorts: true,
      cell: (row) => <Text value={row.group.operation} />,
    },
    number("rate", "Rate", (row) => rate(row.group.calls / seconds)),
    spark("rate-line", (row) => <Spark height={18} points={row.group.series.calls} ghost={row.then?.series.calls} />),
    number("errors", "Errors", (row) =>
      row.share > BROKEN_OVER ? <b className="err">! {percent(row.share)}</b> : percent(row.share),
    ),
    spark("errors-line", (row) => (
      <Spark
        height={18}
        points={errorShares(row.group)}
        floor={SHARE_FLOOR}
        tone={row.share > BROKEN_OVER ? "err" : "ink"}
        ghost={row.then ? errorShares(row.then) : null}
      />
    )),
    number("p50", "p50", (row) => duration(row.group.p50Nano), true),
    number("p75", "p75", (row) => duration(row.group.p75Nano), true),
    number("p95", "p95", (row) => (
      <span className={toneOf(row) === "warn" ? "warn" : ""}>{duration(row.group.p95Nano)}</span>
    )),
    spark("p95-line", (row) => (
      <Spark height={18} points={row.group.series.p95Nano} tone={toneOf(row)} ghost={row.then?.series.p95Nano} />
    )),
    ...(word === null
      ? []
      : [
          number(
            "change",
            `vs ${word}`,
            (row) => (
              <span className={toneOf(row) === "warn" ? "warn" : "faint"}>
                {slower(row) || (row.then ? "same" : "new")}
              </span>
            ),
            true,
          ),
        ]),
    {
      key: "impact",
      head: "Impact",
      width: "minmax(72px, 180px)",
      sorts: true,
      cell: (row) => (
        <span className="impact">
          <svg className="impact-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <rect width={Math.max(0.5, row.impact * 100)} height="8" />
          </svg>
          {percent(row.impact)}
        </span>
      ),
    },
    {
      key: "traces",
      head: <span className="visually-hidden">Traces</span>,
      width: "60px",
      align: "right",
      cell: (row) => (
        <Link to="/search" params={{ service, operation: row.group.operation }}>
          Traces
        </Link>
      ),
    },
  ];
}
