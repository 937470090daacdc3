// All events of the trace in the order of time: what the spans said while they ran.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { EVENTS_MAX, eventsQuery } from "../../api/trace.ts";
import { Input } from "../../design/controls.tsx";
import { count, duration, plural } from "../../design/format.ts";
import { ServiceName } from "../../design/service.tsx";
import { Busy, Empty, Notice, Problem } from "../../design/states.tsx";
import { type Column, DataTable } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import { type TraceEvent, valueText } from "../../trace/details.ts";
import { operationOf, serviceOf, type Trace } from "../../trace/trace.ts";
import type { TabProps } from "./tabprops.ts";

interface Line {
  readonly event: TraceEvent;
  readonly index: number;
  readonly text: string;
}

export function EventsTab({ analysis, traceKey, model, onSelect }: TabProps) {
  const { trace } = analysis;
  const events = useQuery(eventsQuery(traceKey));
  const [filter, setFilter] = useState("");
  const scroll = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => linesOf(events.data ?? []), [events.data]);
  const shown = useMemo(() => {
    const wanted = filter.toLowerCase();
    return lines.filter((line) => wanted === "" || `${line.event.name} ${line.text}`.toLowerCase().includes(wanted));
  }, [lines, filter]);
  if (events.isError) return <Problem what="The events" error={events.error} onRetry={() => void events.refetch()} />;
  if (events.data === undefined) return <Busy busy words="reading the events" />;
  if (lines.length === 0) {
    return (
      <Empty title="The spans of this trace have no events.">
        <p>Events are what an SDK records within a span: exceptions, log lines, marks in time.</p>
      </Empty>
    );
  }
  return (
    <>
      <div className="stat-knobs">
        <Input
          className="stat-key"
          aria-label="Filter events"
          placeholder="Filter"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <span className="faint">
          {filter === "" ? plural(lines.length, "event") : `${count(shown.length)} of ${plural(lines.length, "event")}`}
        </span>
      </div>
      {lines.length >= EVENTS_MAX && <Notice>The first {count(EVENTS_MAX)} events; there are more.</Notice>}
      <div className="trace-scroll stat-table" ref={scroll}>
        <DataTable
          label="Events"
          rows={shown}
          columns={columnsOf(trace)}
          rowKey={(line) => String(line.index)}
          rowHeight={24}
          scroll={scroll}
          onOpen={(line) => onSelect(line.event.row)}
          selected={(line) => line.event.row === model.selected}
        />
      </div>
    </>
  );
}

function linesOf(events: readonly TraceEvent[]): Line[] {
  return events.map((event, index) => ({
    event,
    index,
    text: event.attributes.map((attribute) => `${attribute.key}=${valueText(attribute)}`).join("  "),
  }));
}

function columnsOf(trace: Trace): Column<Line>[] {
  const start = BigInt(trace.start);
  return [
    {
      key: "time",
      head: "Time",
      width: "88px",
      align: "right",
      cell: ({ event }) => `+${duration(Number(BigInt(event.time) - start))}`,
    },
    {
      key: "service",
      head: "Service",
      width: "minmax(100px, 160px)",
      cell: ({ event }) => <ServiceName name={serviceOf(trace, event.row)} />,
    },
    {
      key: "span",
      head: "Span",
      width: "minmax(100px, 200px)",
      cell: ({ event }) => <Text value={operationOf(trace, event.row)} />,
      className: "hide-small",
    },
    {
      key: "event",
      head: "Event",
      width: "minmax(90px, 160px)",
      cell: ({ event }) => (
        <span className={event.name === "exception" ? "err" : undefined}>
          <Text value={event.name} />
        </span>
      ),
    },
    {
      key: "attributes",
      head: "Attributes",
      width: "minmax(120px, 2fr)",
      cell: ({ text }) =>
        text === "" ? null : (
          <span className="mono cut">
            <Text value={text} />
          </span>
        ),
    },
  ];
}
