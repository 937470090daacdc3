import { useMemo, useRef } from "react";
import { Copy } from "./copy.tsx";
import { Dialog } from "./dialog.tsx";
import { type Column, DataTable } from "./table.tsx";

export interface DataColumn {
  readonly name: string;
  readonly align?: "right";
}

interface DataDialogProps {
  label: string;
  columns: readonly DataColumn[];
  /** Cells as they are read; the first of a row is its key. */
  rows: readonly (readonly string[])[];
  onClose: () => void;
}

function csvCell(value: string): string {
  // a leading = + - @ would be run as a formula by a spreadsheet
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(columns: readonly DataColumn[], rows: readonly (readonly string[])[]): string {
  return [columns.map((column) => column.name), ...rows].map((row) => row.map(csvCell).join(",")).join("\n");
}

/** The numbers behind a chart, to read and to copy: the way in for those who cannot see the picture. */
export function DataDialog({ label, columns, rows, onClose }: DataDialogProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const shown = useMemo<Column<readonly string[]>[]>(
    () =>
      columns.map((column, index) => ({
        key: column.name,
        head: column.name,
        width: index === 0 ? "minmax(120px, 1.4fr)" : "minmax(72px, 1fr)",
        ...(column.align === undefined ? {} : { align: column.align }),
        cell: (row) => row[index] ?? "",
      })),
    [columns],
  );
  return (
    <Dialog label={label} onClose={onClose}>
      <div className="data-dialog" ref={scroll}>
        <DataTable label={label} rows={rows} columns={shown} rowKey={(row) => row[0] ?? ""} scroll={scroll} />
      </div>
      <Copy value={csv(columns, rows)} what="table as CSV" word="Copy as CSV" />
    </Dialog>
  );
}
