import { type RefObject, useMemo, useState } from "react";
import { Link } from "../../app/link.tsx";
import { useTime } from "../../app/location.ts";
import { VERSUS_WORDS } from "../../app/range.ts";
import { change, duration, NONE, percent, rate } from "../../design/format.ts";
import { ServiceName } from "../../design/service.tsx";
import { type Column, DataTable, type Sort } from "../../design/table.tsx";
import type { Edge } from "./model.ts";

interface EdgeTableProps {
  edges: readonly Edge[];
  scroll: RefObject<HTMLElement | null>;
  selected: string | null;
  onSelect: (edge: Edge) => void;
}

type Key = "caller" | "callee" | "rate" | "errors" | "p50" | "p95" | "then" | "change";

const VALUES: Record<Key, (edge: Edge) => string | number> = {
  caller: (edge) => edge.caller,
  callee: (edge) => edge.callee,
  rate: (edge) => edge.perSecond,
  errors: (edge) => edge.errorShare,
  p50: (edge) => edge.p50Nano ?? -1,
  p95: (edge) => edge.p95Nano ?? -1,
  then: (edge) => edge.thenP95Nano ?? -1,
  change: (edge) => factor(edge) ?? -1,
};

function factor(edge: Edge): number | null {
  return edge.p95Nano !== null && edge.thenP95Nano ? edge.p95Nano / edge.thenP95Nano : null;
}

function compare(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

/** The same edges in rows: what the map shows, sortable and readable without it. */
export function EdgeTable({ edges, scroll, selected, onSelect }: EdgeTableProps) {
  const [sort, setSort] = useState<Sort>({ key: "errors", descending: true });
  const { versus, then } = useTime();
  const word = VERSUS_WORDS[versus].word;
  const rows = useMemo(() => {
    const value = VALUES[sort.key as Key];
    const sign = sort.descending ? -1 : 1;
    return [...edges].sort(
      (a, b) => sign * compare(value(a), value(b)) || b.perSecond - a.perSecond || compare(a.key, b.key),
    );
  }, [edges, sort]);
  const columns = useMemo((): Column<Edge>[] => {
    const compared: Column<Edge>[] =
      then === null
        ? []
        : [
            {
              key: "then",
              head: `p95, ${word}`,
              width: "96px",
              align: "right",
              sorts: true,
              className: "faint hide-small",
              cell: (edge) => duration(edge.thenP95Nano),
            },
            {
              key: "change",
              head: "Change",
              width: "72px",
              align: "right",
              sorts: true,
              className: "hide-small",
              cell: (edge) => (
                <span className={edge.slow ? "warn" : (factor(edge) ?? 1) < 0.92 ? "better" : "faint"}>
                  {change(edge.p95Nano, edge.thenP95Nano) || NONE}
                </span>
              ),
            },
          ];
    return [
      {
        key: "caller",
        head: "Caller",
        width: "minmax(72px, 2fr)",
        sorts: true,
        cell: (edge) => <ServiceName name={edge.caller} />,
      },
      {
        key: "callee",
        head: "Callee",
        width: "minmax(72px, 2fr)",
        sorts: true,
        cell: (edge) => <ServiceName name={edge.callee} />,
      },
      { key: "rate", head: "Rate", width: "72px", align: "right", sorts: true, cell: (edge) => rate(edge.perSecond) },
      {
        key: "errors",
        head: "Errors",
        width: "80px",
        align: "right",
        sorts: true,
        cell: (edge) =>
          edge.state === "broken" ? <b className="err">! {percent(edge.errorShare)}</b> : percent(edge.errorShare),
      },
      {
        key: "p50",
        head: "p50",
        width: "80px",
        align: "right",
        sorts: true,
        className: "hide-small",
        cell: (edge) => duration(edge.p50Nano),
      },
      {
        key: "p95",
        head: "p95",
        width: "80px",
        align: "right",
        sorts: true,
        cell: (edge) => <span className={edge.slow ? "warn" : ""}>{duration(edge.p95Nano)}</span>,
      },
      ...compared,
      {
        key: "traces",
        head: <span className="visually-hidden">Traces</span>,
        width: "64px",
        align: "right",
        className: "hide-small",
        cell: (edge) => (
          <Link to="/search" params={{ service: edge.callee }}>
            Traces
          </Link>
        ),
      },
    ];
  }, [then, word]);
  return (
    <DataTable
      label="Calls between services"
      rows={rows}
      columns={columns}
      rowKey={(edge) => edge.key}
      scroll={scroll}
      sort={sort}
      onSort={(key) => setSort((held) => ({ key, descending: held.key === key ? !held.descending : true }))}
      onOpen={onSelect}
      selected={(edge) => edge.key === selected}
    />
  );
}
