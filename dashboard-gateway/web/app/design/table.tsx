import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, type RefObject, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useSmall } from "../app/media.ts";
import "./table.css";

export interface Column<T> {
  readonly key: string;
  readonly head: ReactNode;
  /** A track of CSS grid: `96px`, `minmax(120px, 2fr)`. */
  readonly width: string;
  readonly align?: "right";
  /** The head is a button that sorts by this column. */
  readonly sorts?: boolean;
  readonly cell: (row: T) => ReactNode;
  readonly className?: string;
}

export interface Sort {
  readonly key: string;
  readonly descending: boolean;
}

interface TableProps<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  rowHeight?: number;
  rowClass?: (row: T) => string;
  /** What scrolls: the table itself has no scroll bar. Needed for more than a hundred rows. */
  scroll: RefObject<HTMLElement | null>;
  sort?: Sort | undefined;
  onSort?: ((key: string) => void) | undefined;
  /** `Enter` on a row, or a click beside its controls. */
  onOpen?: ((row: T, event: { newTab: boolean }) => void) | undefined;
  /** Further keys on a row (`x`, `y` …); answers whether the key meant something. */
  onRowKey?: ((row: T, key: string) => boolean) | undefined;
  selected?: ((row: T) => boolean) | undefined;
}

const VIRTUAL_OVER = 100;

/** A table of ours: sticky head, sorting, one row in the tab order (`j` `k` or arrows move), virtual over 100 rows. */
export function DataTable<T>(props: TableProps<T>) {
  const { rows, rowKey, rowHeight = 28, scroll } = props;
  const small = useSmall();
  // a hidden cell would leave its track to the next one: the column goes as a whole
  const columns = useMemo(
    () => (small ? props.columns.filter((column) => !column.className?.includes("hide-small")) : props.columns),
    [small, props.columns],
  );
  const body = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const [margin, setMargin] = useState(0);
  const virtual = rows.length > VIRTUAL_OVER;
  useLayoutEffect(() => {
    const [inner, outer] = [body.current, scroll.current];
    if (!virtual || inner === null || outer === null) return;
    const measure = () =>
      setMargin(inner.getBoundingClientRect().top - outer.getBoundingClientRect().top + outer.scrollTop);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(outer);
    return () => observer.disconnect();
  }, [virtual, scroll]);
  const virtualizer = useVirtualizer({
    count: virtual ? rows.length : 0,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 20,
    scrollMargin: margin,
    // the sticky head covers the top
    scrollPaddingStart: 28,
  });
  const template = useMemo(() => columns.map((column) => column.width).join(" "), [columns]);
  const current = Math.min(active, rows.length - 1);

  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setActive(next);
    if (virtual) virtualizer.scrollToIndex(next);
    // a virtual row may not be there before the next frame
    requestAnimationFrame(() => {
      body.current?.querySelector<HTMLElement>(`[aria-rowindex="${next + 2}"]`)?.focus({ preventScroll: virtual });
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLElement && event.target.getAttribute("role") !== "row") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, number> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: 20, PageUp: -20 };
    const row = rows[current];
    const step = steps[event.key];
    if (step !== undefined) move(current + step);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if (event.key === "Enter" && row !== undefined) props.onOpen?.(row, { newTab: false });
    else if (event.key === "o" && row !== undefined) props.onOpen?.(row, { newTab: true });
    else if (row === undefined || !props.onRowKey?.(row, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  const line = (row: T, index: number, offset?: number) => (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled once, on the grid
    <div
      key={rowKey(row)}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={props.selected?.(row)}
      tabIndex={index === current ? 0 : -1}
      className={`table-row ${props.onOpen ? "table-open" : ""} ${props.rowClass?.(row) ?? ""}`}
      style={{
        gridTemplateColumns: template,
        ...(offset === undefined
          ? { minHeight: rowHeight }
          : { position: "absolute", insetInline: 0, height: rowHeight, transform: `translateY(${offset}px)` }),
      }}
      onFocus={() => setActive(index)}
      onClick={(event) => {
        if (event.target instanceof Element && event.target.closest("a,button,input,label,select") === null) {
          props.onOpen?.(row, { newTab: event.ctrlKey || event.metaKey });
        }
      }}
      onAuxClick={(event) => {
        if (event.button === 1) props.onOpen?.(row, { newTab: true });
      }}
    >
      {columns.map((column) => (
        <div key={column.key} role="gridcell" tabIndex={-1} className={cellClass(column)}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );

  return (
    <div
      className="table"
      role="grid"
      tabIndex={-1}
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      onKeyDown={onKeyDown}
    >
      <div className="table-row table-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map((column) => (
          <Head key={column.key} column={column} sort={props.sort} onSort={props.onSort} />
        ))}
      </div>
      <div
        ref={body}
        className="table-body"
        role="rowgroup"
        style={virtual ? { height: virtualizer.getTotalSize() } : {}}
      >
        {virtual
          ? virtualizer.getVirtualItems().map((item) => {
              const row = rows[item.index];
              return row === undefined ? null : line(row, item.index, item.start - margin);
            })
          : rows.map((row, index) => line(row, index))}
      </div>
    </div>
  );
}

function cellClass<T>(column: Column<T>): string {
  return `table-cell ${column.align === "right" ? "table-right" : ""} ${column.className ?? ""}`;
}

interface HeadProps<T> {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: ((key: string) => void) | undefined;
}

function Head<T>({ column, sort, onSort }: HeadProps<T>) {
  const by = sort?.key === column.key ? sort : undefined;
  return (
    <div
      role="columnheader"
      className={cellClass(column)}
      aria-sort={by === undefined ? undefined : by.descending ? "descending" : "ascending"}
    >
      {column.sorts && onSort ? (
        <button type="button" className="table-sort" onClick={() => onSort(column.key)}>
          {column.head}
          {by !== undefined && (by.descending ? " ↓" : " ↑")}
        </button>
      ) : (
        column.head
      )}
    </div>
  );
}
