// All spans as a table: sorted by any column, filtered by what is found and by errors. Virtual, so a million rows are fine.
import { useMemo, useRef, useState } from "react";
import { Segmented } from "../../design/controls.tsx";
import { count, duration, plural } from "../../design/format.ts";
import { ServiceName } from "../../design/service.tsx";
import { type Column, DataTable, type Sort } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { durationOf, isError, kindOf, operationOf, serviceOf, spanIdOf, startOf } from "../../trace/trace.ts";
import type { TabProps } from "./tabprops.ts";

type Show = "all" | "errors" | "matches";

export function SpansTab({ analysis, model, onSelect }: TabProps) {
  const { trace } = analysis;
  const [show, setShow] = useState<Show>("all");
  const [sort, setSort] = useState<Sort>({ key: "start", descending: false });
  const scroll = useRef<HTMLDivElement>(null);
  const finding = model.words.length > 0;
  const shown = show === "matches" && !finding ? "all" : show;
  const rows = useMemo(
    () => sortedRows(analysis, shown === "errors" ? analysis.errors : shown === "matches" ? model.matches : null, sort),
    [analysis, shown, model.matches, sort],
  );
  const onSort = (key: string) =>
    setSort({ key, descending: sort.key === key ? !sort.descending : key === "duration" || key === "self" });
  const columns: Column<number>[] = [
    {
      key: "service",
      head: "Service",
      width: "minmax(110px, 1fr)",
      sorts: true,
      cell: (row) => <ServiceName name={serviceOf(trace, row)} />,
    },
    {
      key: "operation",
      head: "Operation",
      width: "minmax(160px, 2fr)",
      sorts: true,
      cell: (row) => (
        <span className={`cut${isError(trace, row) ? " span-error" : ""}`}>
          {isError(trace, row) && "! "}
          <Text value={operationOf(trace, row)} />
        </span>
      ),
    },
    {
      key: "kind",
      head: "Kind",
      width: "84px",
      cell: (row) => <span className="faint">{kindOf(trace, row)}</span>,
      className: "hide-small",
    },
    {
      key: "id",
      head: "Span id",
      width: "136px",
      cell: (row) => <span className="mono faint">{spanIdOf(trace, row)}</span>,
      className: "hide-small",
    },
    {
      key: "start",
      head: "Start",
      width: "88px",
      align: "right",
      sorts: true,
      cell: (row) => `+${duration(startOf(trace, row))}`,
    },
    {
      key: "duration",
      head: "Duration",
      width: "88px",
      align: "right",
      sorts: true,
      cell: (row) => duration(durationOf(trace, row)),
    },
    {
      key: "self",
      head: "Self",
      width: "88px",
      align: "right",
      sorts: true,
      cell: (row) => duration(analysis.self[row]),
    },
  ];
  return (
    <>
      <div className="stat-knobs">
        <Segmented
          label="Spans"
          value={shown}
          choices={[
            { value: "all", label: `All ${count(trace.count)}` },
            { value: "errors", label: plural(analysis.errors.length, "error") },
            ...(finding
              ? [{ value: "matches" as const, label: plural(model.matches.length, "match", "matches") }]
              : []),
          ]}
          onChange={setShow}
        />
      </div>
      <div className="trace-scroll stat-table" ref={scroll}>
        <DataTable
          label="Spans"
          rows={rows}
          columns={columns}
          rowKey={(row) => String(row)}
          rowHeight={24}
          scroll={scroll}
          sort={sort}
          onSort={onSort}
          onOpen={(row) => onSelect(row)}
          selected={(row) => row === model.selected}
        />
      </div>
    </>
  );
}

function sortedRows(analysis: Analysis, rows: Uint32Array | null, sort: Sort): number[] {
  const { trace } = analysis;
  const list = rows === null ? Array.from({ length: trace.count }, (_, row) => row) : [...rows];
  const byName = (names: readonly string[], column: Uint32Array) => {
    const rank = new Map(
      [...names.keys()].sort((a, b) => ((names[a] ?? "") < (names[b] ?? "") ? -1 : 1)).map((index, at) => [index, at]),
    );
    return (row: number) => rank.get(column[row] ?? 0) ?? 0;
  };
  const { columns } = trace;
  const values: Record<string, (row: number) => number> = {
    service: byName(trace.services, columns.service),
    operation: byName(trace.operations, columns.operation),
    duration: (row) => columns.duration[row] ?? 0,
    self: (row) => analysis.self[row] ?? 0,
  };
  const value = values[sort.key] ?? ((row: number) => columns.start[row] ?? 0);
  const sign = sort.descending ? -1 : 1;
  return list.sort((a, b) => sign * (value(a) - value(b)) || a - b);
}
