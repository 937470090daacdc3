import { useNavigate } from "@tanstack/react-router";
import { memo, type RefObject, useMemo } from "react";
import type { TraceSummary } from "../../api/wire.ts";
import { Link } from "../../app/link.tsx";
import { useCarried } from "../../app/location.ts";
import { useSmall } from "../../app/media.ts";
import { usePrefs } from "../../app/prefs.ts";
import { clockMilli, dayMinute, msOfNanos, type Zone } from "../../design/clock.ts";
import { swatches } from "../../design/colour.ts";
import { Badge } from "../../design/controls.tsx";
import { count, duration } from "../../design/format.ts";
import { visible } from "../../design/hostile.ts";
import { ServiceName, ServiceSwatch, ServiceView } from "../../design/service.tsx";
import { type Column, DataTable, type Sort } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import type { Order } from "./question.ts";

interface ResultsProps {
  traces: readonly TraceSummary[];
  view: "table" | "list";
  order: Order;
  onOrder: (order: Order) => void;
  picked: readonly string[];
  onPick: (id: string) => void;
  onHover: (id: string | null) => void;
  scroll: RefObject<HTMLElement | null>;
}

const ROW = { table: 28, list: 46 };
/** On phones a row with an error has a third line; virtual rows all have room for it. */
const PHONE_ROW = (rows: number) => (rows > 100 ? 80 : 60);

/** The traces found, one row each; the same rows are the data table of the scatter plot. */
export function Results({ traces, view, order, onOrder, picked, onPick, onHover, scroll }: ResultsProps) {
  const zone = usePrefs((state) => state.zone);
  const small = useSmall();
  const navigate = useNavigate();
  const held = useCarried();
  const longest = useMemo(() => traces.reduce((most, trace) => Math.max(most, trace.durationNano), 1), [traces]);
  const names = useMemo(
    () => [...new Set(traces.flatMap((trace) => trace.services.map((service) => service.name)))],
    [traces],
  );
  const days = useMemo(() => spansDays(traces, zone), [traces, zone]);
  const columns = useMemo<Column<TraceSummary>[]>(
    () => (small ? phone(zone, longest) : wide({ zone, longest, days, view, picked, onPick })),
    [small, zone, longest, days, view, picked, onPick],
  );
  const url = (trace: TraceSummary) => `/trace/${trace.traceId}`;
  return (
    <ServiceView names={names}>
      <div
        onPointerOver={(event) => {
          const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[aria-rowindex]") : null;
          onHover(traces[Number(row?.getAttribute("aria-rowindex") ?? 0) - 2]?.traceId ?? null);
        }}
        onPointerLeave={() => onHover(null)}
      >
        <DataTable
          label="Traces"
          rows={traces}
          columns={columns}
          rowKey={(trace) => trace.traceId}
          rowHeight={small ? PHONE_ROW(traces.length) : ROW[view]}
          scroll={scroll}
          sort={SORTS[order]}
          onSort={(key) => onOrder(key === "start" ? (order === "newest" ? "oldest" : "newest") : (key as Order))}
          selected={(trace) => picked.includes(trace.traceId)}
          onOpen={(trace, { newTab }) => {
            if (newTab) window.open(link(trace.traceId), "_blank", "noopener");
            else void navigate({ to: url(trace) as never, search: held as never });
          }}
          onRowKey={(trace, key) => {
            if (key === "x") onPick(trace.traceId);
            else if (key === "y")
              void navigator.clipboard.writeText(new URL(link(trace.traceId), window.location.href).href);
            else return false;
            return true;
          }}
        />
      </div>
    </ServiceView>
  );
}

function link(traceId: string): string {
  return window.location.pathname.replace(/search$/, `trace/${traceId}`);
}

const SORTS: Record<Order, Sort> = {
  newest: { key: "start", descending: true },
  oldest: { key: "start", descending: false },
  longest: { key: "longest", descending: true },
  spans: { key: "spans", descending: true },
  errors: { key: "errors", descending: true },
};

function spansDays(traces: readonly TraceSummary[], zone: Zone): boolean {
  const dayOf = (trace: TraceSummary | undefined) =>
    trace === undefined ? "" : dayMinute(msOfNanos(trace.start), zone).split(" ").slice(0, 2).join(" ");
  return traces.some((trace) => dayOf(trace) !== dayOf(traces[0]));
}

function startText(trace: TraceSummary, zone: Zone, days: boolean): string {
  const ms = msOfNanos(trace.start);
  const clock = clockMilli(ms, zone);
  return days ? `${dayMinute(ms, zone).split(" ").slice(0, 2).join(" ")} ${clock}` : clock;
}

interface WideProps {
  zone: Zone;
  longest: number;
  days: boolean;
  view: "table" | "list";
  picked: readonly string[];
  onPick: (id: string) => void;
}

function wide({ zone, longest, days, view, picked, onPick }: WideProps): Column<TraceSummary>[] {
  return [
    {
      key: "pick",
      head: <span className="visually-hidden">Select</span>,
      width: "24px",
      cell: (trace) => (
        <input
          type="checkbox"
          className="pick"
          aria-label={`Select trace ${trace.traceId.slice(0, 7)}`}
          checked={picked.includes(trace.traceId)}
          onChange={() => onPick(trace.traceId)}
        />
      ),
    },
    {
      key: "start",
      head: "Start",
      width: days ? "144px" : "92px",
      sorts: true,
      cell: (trace) => <span className="mono">{startText(trace, zone, days)}</span>,
    },
    {
      key: "trace",
      head: "Trace",
      width: "minmax(160px, 1fr)",
      cell: (trace) => <TraceName trace={trace} view={view} />,
    },
    {
      key: "mix",
      head: (
        <>
          Services<span className="hide-medium"> by span count</span>
        </>
      ),
      width: "var(--mix)",
      cell: (trace) => <Mix trace={trace} />,
    },
    { key: "spans", head: "Spans", width: "44px", align: "right", sorts: true, cell: (trace) => count(trace.spans) },
    {
      key: "errors",
      head: "Errors",
      width: "44px",
      align: "right",
      sorts: true,
      cell: (trace) =>
        trace.errors > 0 ? <b className="err">{count(trace.errors)}</b> : <span className="faint">0</span>,
    },
    {
      key: "longest",
      head: "Duration",
      width: "var(--length)",
      sorts: true,
      cell: (trace) => (
        <span className="duration">
          <Bar share={trace.durationNano / longest} />
          <span className="right">{duration(trace.durationNano)}</span>
        </span>
      ),
    },
  ];
}

function phone(zone: Zone, longest: number): Column<TraceSummary>[] {
  return [
    {
      key: "trace",
      head: "Traces",
      width: "minmax(0, 1fr)",
      cell: (trace) => (
        <div className="phone-row">
          <div className="phone-line">
            <span className="cut">
              <ServiceSwatch name={trace.rootService} />{" "}
              <Link to={`/trace/${trace.traceId}`} className="trace-link" tabIndex={-1}>
                <Text value={trace.rootOperation} />
              </Link>
            </span>
            <b>{duration(trace.durationNano)}</b>
          </div>
          <div className="phone-line">
            <span className="cut">
              <span className="mono faint">{startText(trace, zone, false)}</span>
              <span className="faint"> · {count(trace.spans)} spans</span>
            </span>
            <Mix trace={trace} />
          </div>
          {trace.errors > 0 && (
            <div className="err cut">
              {trace.errors} {trace.errors === 1 ? "error" : "errors"}
              {trace.firstError && (
                <>
                  : <Text value={trace.firstError.text} />
                </>
              )}
            </div>
          )}
          <Bar share={trace.durationNano / longest} />
        </div>
      ),
    },
  ];
}

function TraceName({ trace, view }: { trace: TraceSummary; view: "table" | "list" }) {
  const { rootSeen, growing, orphans, firstError } = trace;
  return (
    <div className="trace-cell">
      <div className="trace-name">
        <ServiceSwatch name={trace.rootService} />
        <Link
          to={`/trace/${trace.traceId}`}
          className="trace-link cut"
          tabIndex={-1}
          title={`${visible(trace.rootService)} ${visible(trace.rootOperation)}`}
        >
          <Text value={trace.rootOperation} />
        </Link>
        <span className="mono faint trace-id">{trace.traceId.slice(0, 7)}</span>
        {!rootSeen && <Badge tone="neutral">no root yet</Badge>}
        {growing && <Badge tone="neutral">growing</Badge>}
        {rootSeen && orphans > 0 && <Badge tone="neutral">{orphans} orphans</Badge>}
        {firstError && (
          <span className="err cut trace-error" title={visible(firstError.text)}>
            <Text value={firstError.text} />
          </span>
        )}
      </div>
      {view === "list" && (
        <div className="trace-services">
          {trace.services.map((service) => (
            <span key={service.name} className="trace-service">
              <ServiceName name={service.name} /> <span className="faint">{service.spans}</span>
              {service.errors > 0 && <b className="err"> !{service.errors}</b>}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

const Mix = memo(function Mix({ trace }: { trace: TraceSummary }) {
  const shown = useMemo(() => swatches(trace.services.map((service) => service.name)), [trace]);
  const words = trace.services.map((service) => `${visible(service.name)} ${service.spans}`).join(", ");
  return (
    <span className="mix" title={words}>
      <span className="mix-bar" aria-hidden="true">
        {trace.services.map((service) => (
          <i
            key={service.name}
            className={`slot-${shown.get(service.name)?.slot ?? 0}`}
            style={{ flexGrow: Math.max(service.spans, trace.spans / 40) }}
          />
        ))}
      </span>
      <span className="faint">{trace.services.length}</span>
      <span className="visually-hidden"> services: {words}</span>
    </span>
  );
});

/** A neutral bar from zero; length is the only thing it says. */
function Bar({ share }: { share: number }) {
  return (
    <span className="bar" aria-hidden="true">
      <i style={{ width: `${Math.max(share * 100, 0.5)}%` }} />
    </span>
  );
}
