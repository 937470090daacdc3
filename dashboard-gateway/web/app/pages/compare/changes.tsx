import { type RefObject, useMemo } from "react";
import type { RedGroup } from "../../api/wire.ts";
import { Link } from "../../app/link.tsx";
import { change, duration, NONE, percent } from "../../design/format.ts";
import { type Column, DataTable } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import type { Change, Comparison } from "./model.ts";

interface ChangesProps {
  comparison: Comparison;
  service: string;
  scroll: RefObject<HTMLElement | null>;
}

function errors(group: RedGroup | null): number | null {
  return group === null || group.calls === 0 ? null : group.errors / group.calls;
}

/** Operations by what they add to a call: `+` only in B, `−` only in A. */
export function Changes({ comparison, service, scroll }: ChangesProps) {
  const columns = useMemo((): Column<Change>[] => {
    const number = (key: string, head: string, cell: Column<Change>["cell"], small = true): Column<Change> => ({
      key,
      head,
      width: "84px",
      align: "right",
      cell,
      ...(small ? { className: "hide-small" } : {}),
    });
    return [
      {
        key: "operation",
        head: "Operation",
        width: "minmax(140px, 2fr)",
        cell: (row) => (
          <>
            {row.then === null && <b className="warn">+ </b>}
            {row.now === null && <b className="better">− </b>}
            <Text value={row.operation} /> <span className="tiny faint">{row.kind}</span>
          </>
        ),
      },
      number("calls-a", "Calls A", (row) => row.then?.calls ?? 0),
      number("calls-b", "Calls B", (row) => row.now?.calls ?? 0),
      number("errors-a", "Errors A", (row) => percent(errors(row.then))),
      number(
        "errors-b",
        "Errors B",
        (row) => <span className={(errors(row.now) ?? 0) > 0.01 ? "err" : ""}>{percent(errors(row.now))}</span>,
        false,
      ),
      number("p95-a", "p95 A", (row) => duration(row.then?.p95Nano)),
      number("p95-b", "p95 B", (row) => duration(row.now?.p95Nano), false),
      number("change", "Change", (row) => {
        const text = change(row.now?.p95Nano ?? null, row.then?.p95Nano);
        return <span className={/^[+\d]/.test(text) ? "warn" : "better"}>{text || NONE}</span>;
      }),
      {
        key: "added",
        head: "Adds to a call",
        width: "104px",
        align: "right",
        cell: (row) => (
          <span className={row.addedNano > 0 ? "warn" : row.addedNano < 0 ? "better" : ""}>
            {row.addedNano > 0 ? "+" : row.addedNano < 0 ? "−" : ""}
            {duration(Math.abs(row.addedNano))}
          </span>
        ),
      },
      {
        key: "traces",
        head: <span className="visually-hidden">Traces</span>,
        width: "60px",
        align: "right",
        className: "hide-small",
        cell: (row) => (
          <Link to="/search" params={{ service, operation: row.operation }}>
            Traces
          </Link>
        ),
      },
    ];
  }, [service]);
  return (
    <section className="compare-part">
      <h2>Operations, by what they add</h2>
      <DataTable
        label="Operations in both ranges"
        rows={comparison.changes}
        columns={columns}
        rowKey={(row) => `${row.operation}\0${row.kind}`}
        scroll={scroll}
      />
    </section>
  );
}
