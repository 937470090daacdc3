// The side panel: one span, its error first. The head comes from the skeleton at once, the rest when its details are there.
import { useQuery } from "@tanstack/react-query";
import { type PointerEvent, type ReactNode, useState } from "react";
import { spanQuery, type TraceKey } from "../../api/trace.ts";
import { CloseIcon, CopyIcon } from "../../app/icons.tsx";
import { useEscape } from "../../app/keys.ts";
import { Link } from "../../app/link.tsx";
import { usePrefs } from "../../app/prefs.ts";
import { clockMilli } from "../../design/clock.ts";
import { Badge, Button } from "../../design/controls.tsx";
import { count, duration, percent } from "../../design/format.ts";
import { ServiceSwatch } from "../../design/service.tsx";
import { Problem } from "../../design/states.tsx";
import { Text } from "../../design/text.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { criticalShare } from "../../trace/critical.ts";
import { errorText, type SpanDetails, type SpanEvent, type SpanLink } from "../../trace/details.ts";
import { type LinkPattern, resolveLinks } from "../../trace/link-patterns.ts";
import {
  durationOf,
  isError,
  isOrphan,
  kindOf,
  operationOf,
  parentOf,
  serviceOf,
  startMsOf,
  startOf,
} from "../../trace/trace.ts";
import { Attributes, sorted } from "./attributes.tsx";

export interface PanelProps {
  analysis: Analysis;
  traceKey: TraceKey;
  row: number;
  patterns: readonly LinkPattern[];
  onSelect: (row: number) => void;
  onNextError: (() => void) | null;
  onFind: (text: string) => void;
  onEvents: () => void;
  onClose: () => void;
  onCopyLink: () => void;
}

const WIDTH_MIN = 280;
const WIDTH_MAX = 640;
const SHEETS = ["132px", "262px", "calc(100dvh - 108px)"] as const;

export function SpanPanel(props: PanelProps) {
  const { analysis, row, traceKey } = props;
  const { trace } = analysis;
  const width = usePrefs((state) => state.panelWidth);
  const [sheet, setSheet] = useState(1);
  const details = useQuery(spanQuery(traceKey, row));
  useEscape(true, props.onClose);
  const service = serviceOf(trace, row);
  return (
    <aside
      className="panel"
      aria-label="Span"
      style={{ "--panel": `${width}px`, "--sheet": SHEETS[sheet] } as React.CSSProperties}
    >
      <PanelEdge />
      <button
        type="button"
        className="panel-grip"
        aria-label="Height of the panel"
        onClick={() => setSheet((sheet + 1) % SHEETS.length)}
      />
      <div className="panel-inner">
        <div className="panel-title">
          <ServiceSwatch name={service} />
          <h2>
            <Text value={operationOf(trace, row)} />
          </h2>
          {isError(trace, row) && <Badge tone="err">ERROR</Badge>}
          <span className="spacer" />
          <Button
            look="quiet"
            className="button-icon"
            aria-label="Copy the link to this span"
            title="Copy link (y)"
            onClick={props.onCopyLink}
          >
            <CopyIcon />
          </Button>
          <Button
            look="quiet"
            className="button-icon"
            aria-label="Close the panel"
            title="Close (Esc)"
            onClick={props.onClose}
          >
            <CloseIcon />
          </Button>
        </div>
        <SubTitle analysis={analysis} row={row} />
        {details.data && <ErrorWords details={details.data} failed={isError(trace, row)} />}
        <Facts analysis={analysis} row={row} />
        <Jumps {...props} details={details.data ?? null} />
        {details.isError && (
          <Problem what="The details of this span" error={details.error} onRetry={() => void details.refetch()} />
        )}
        {details.data && <Sections {...props} details={details.data} />}
      </div>
    </aside>
  );
}

function PanelEdge() {
  const set = usePrefs((state) => state.set);
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const right = event.currentTarget.parentElement?.getBoundingClientRect().right ?? window.innerWidth;
    set({ panelWidth: Math.round(Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, right - event.clientX))) });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a convenience of the mouse; the panel has the same content at any width
    <div
      className="panel-edge"
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onMove}
      onDoubleClick={() => set({ panelWidth: 344 })}
    />
  );
}

function SubTitle({ analysis, row }: { analysis: Analysis; row: number }) {
  const zone = usePrefs((state) => state.zone);
  const { trace } = analysis;
  return (
    <div className="small soft">
      <Text value={serviceOf(trace, row)} /> · {kindOf(trace, row)} · {clockMilli(startMsOf(trace, row), zone)}
      {isOrphan(trace, row) && <span className="warn"> · its parent is not in the trace</span>}
    </div>
  );
}

function ErrorWords({ details, failed }: { details: SpanDetails; failed: boolean }) {
  const words = failed ? errorText(details) : null;
  if (words === null) return null;
  return (
    <div className="panel-error">
      <Text value={words} full />
    </div>
  );
}

function Facts({ analysis, row }: { analysis: Analysis; row: number }) {
  const { trace, self, path } = analysis;
  const start = startOf(trace, row);
  return (
    <dl className="panel-facts">
      <dt>duration</dt>
      <dd>{duration(durationOf(trace, row))}</dd>
      <dt>self</dt>
      <dd>{duration(self[row])}</dd>
      <dt>start</dt>
      <dd>{start > 0 ? `+${duration(start)}` : "0"}</dd>
      <dt>of critical path</dt>
      <dd>{percent(criticalShare(trace, path, row))}</dd>
    </dl>
  );
}

function Jumps({
  analysis,
  traceKey,
  row,
  patterns,
  details,
  onSelect,
  onNextError,
}: PanelProps & { details: SpanDetails | null }) {
  const { trace } = analysis;
  const parent = parentOf(trace, row);
  const firstKid = (trace.columns.children[row] ?? 0) > 0 ? row + 1 : null;
  const service = serviceOf(trace, row);
  const scope = {
    traceId: traceKey.traceId,
    traceStartMs: trace.startMs,
    traceEndMs: trace.startMs + trace.durationNano / 1e6,
  };
  const links = details === null ? [] : resolveLinks(patterns, "span", details, scope);
  const around = { from: `${Math.floor(trace.startMs - 30 * 60e3)}`, to: `${Math.ceil(trace.startMs + 30 * 60e3)}` };
  const query = { ...around, service, operation: operationOf(trace, row) };
  return (
    <div className="panel-jumps">
      {parent !== null && (
        <button type="button" onClick={() => onSelect(parent)}>
          Parent
        </button>
      )}
      {firstKid !== null && (
        <button type="button" onClick={() => onSelect(firstKid)}>
          First child
        </button>
      )}
      {onNextError !== null && (
        <button type="button" onClick={onNextError}>
          Next error
        </button>
      )}
      <Link to="/search" params={isError(trace, row) ? { ...query, tags: '{"error":"true"}' } : query}>
        {isError(trace, row) ? "Same error, 1 h" : "Same operation, 1 h"}
      </Link>
      <Link to="/monitor" params={{ ...around, service }}>
        Metrics
      </Link>
      {links.map((link) => (
        <a key={link.href} className="link" href={link.href} target="_blank" rel="noopener noreferrer">
          <Text value={link.text} />
        </a>
      ))}
    </div>
  );
}

function Section({ title, size, children }: { title: string; size?: number; children: ReactNode }) {
  return (
    <section className="panel-section">
      <h3>
        {title} {size !== undefined && <span>{count(size)}</span>}
      </h3>
      {children}
    </section>
  );
}

function Sections({ analysis, traceKey, patterns, details, onFind, onEvents }: PanelProps & { details: SpanDetails }) {
  const { trace } = analysis;
  const scope = {
    traceId: traceKey.traceId,
    traceStartMs: trace.startMs,
    traceEndMs: trace.startMs + trace.durationNano / 1e6,
  };
  const linksOf = (key: string) => resolveLinks(patterns, key, details, scope);
  const { service, dropped } = details;
  const lost = dropped.attributes + dropped.events + dropped.links;
  const list = { service, onFind, linksOf };
  const scopeAttributes = [
    ...(details.scope.name === ""
      ? []
      : [{ key: "otel.scope.name", type: "string" as const, value: details.scope.name }]),
    ...(details.scope.version === ""
      ? []
      : [{ key: "otel.scope.version", type: "string" as const, value: details.scope.version }]),
    ...details.scope.attributes,
  ];
  const ids = [
    { key: "span id", type: "string" as const, value: details.spanId },
    ...(details.parentSpanId === ""
      ? []
      : [{ key: "parent id", type: "string" as const, value: details.parentSpanId }]),
    { key: "trace id", type: "string" as const, value: traceKey.traceId },
    ...(details.traceState === "" ? [] : [{ key: "trace state", type: "string" as const, value: details.traceState }]),
  ];
  return (
    <>
      {details.warnings.length > 0 && (
        <Section title="Warnings" size={details.warnings.length}>
          {details.warnings.map((warning) => (
            <div key={warning} className="warn">
              <Text value={warning} full />
            </div>
          ))}
        </Section>
      )}
      <Section title="Attributes" size={details.attributes.length}>
        <Attributes attributes={sorted(details.attributes)} {...list} />
      </Section>
      {details.events.length > 0 && (
        <Section title="Events" size={details.events.length}>
          <Events events={details.events} start={details.start} list={list} />
          <button type="button" className="panel-ref" onClick={onEvents}>
            all events of the trace
          </button>
        </Section>
      )}
      {details.links.length > 0 && (
        <Section title="Links" size={details.links.length}>
          <Links links={details.links} list={list} />
        </Section>
      )}
      <Section title="Resource" size={details.resource.length}>
        <Attributes attributes={details.resource} {...list} />
      </Section>
      {scopeAttributes.length > 0 && (
        <Section title="Scope">
          <Attributes attributes={scopeAttributes} {...list} />
        </Section>
      )}
      <Section title="Ids">
        <Attributes attributes={ids} {...list} linksOf={() => []} />
      </Section>
      {lost > 0 && (
        <Section title="Dropped by the sender">
          {dropped.attributes} attributes, {dropped.events} events, {dropped.links} links
        </Section>
      )}
    </>
  );
}

type ListProps = Omit<Parameters<typeof Attributes>[0], "attributes">;

const EVENTS_SHOWN = 50;

function Events({ events, start, list }: { events: readonly SpanEvent[]; start: string; list: ListProps }) {
  const [all, setAll] = useState(false);
  const shown = all ? events : events.slice(0, EVENTS_SHOWN);
  return (
    <>
      {shown.map((event, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: events have no identity of their own
        <div key={index} className="event">
          <span>+{duration(Math.max(0, Number(BigInt(event.time) - BigInt(start))))}</span>
          {event.attributes.length === 0 ? (
            <EventName event={event} />
          ) : (
            <details open={events.length <= 3}>
              <summary>
                <EventName event={event} />
              </summary>
              <Attributes attributes={event.attributes} {...list} />
            </details>
          )}
        </div>
      ))}
      {!all && events.length > EVENTS_SHOWN && (
        <button type="button" className="panel-ref" onClick={() => setAll(true)}>
          {count(events.length - EVENTS_SHOWN)} more
        </button>
      )}
    </>
  );
}

function EventName({ event }: { event: SpanEvent }) {
  return (
    <span className={event.name === "exception" ? "err" : undefined}>
      <Text value={event.name} />
    </span>
  );
}

function Links({ links, list }: { links: readonly SpanLink[]; list: ListProps }) {
  return links.map((link) => (
    <div key={link.traceId + link.spanId}>
      <Link to={`/trace/${link.traceId}`} params={{ span: link.spanId }} fresh className="link mono">
        {link.traceId.slice(-8)}
      </Link>{" "}
      <span className="faint">span {link.spanId}</span>
      <Attributes attributes={link.attributes} {...list} />
    </div>
  ));
}
