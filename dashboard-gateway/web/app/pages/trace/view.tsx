// One trace on screen: head, tabs, find, the view of the chosen tab, the side panel, the foot line.
import { lazy, type RefObject, Suspense, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { TraceKey } from "../../api/trace.ts";
import { usePrefs } from "../../app/prefs.ts";
import { Segmented } from "../../design/controls.tsx";
import { count, duration } from "../../design/format.ts";
import { Foot } from "../../design/page.tsx";
import { ServiceName } from "../../design/service.tsx";
import { Notice, Partial } from "../../design/states.tsx";
import { Text } from "../../design/text.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { membersOf, NO_GROUP } from "../../trace/similar.ts";
import { spanIdOf } from "../../trace/trace.ts";
import { TraceBar } from "./bar.tsx";
import { TraceHead } from "./head.tsx";
import { useTraceKeys } from "./keys.ts";
import { TraceMinimap } from "./minimap.tsx";
import { useTraceModel } from "./model.ts";
import { SpanPanel } from "./panel.tsx";
import type { RowContext } from "./rowlist.tsx";
import type { TraceState } from "./state.ts";
import { Timeline, type TimelineHandle } from "./timeline.tsx";

const FlameTab = lazy(() => import("./flame.tsx").then((module) => ({ default: module.FlameTab })));
const StatisticsTab = lazy(() => import("./statistics.tsx").then((module) => ({ default: module.StatisticsTab })));
const SpansTab = lazy(() => import("./spans.tsx").then((module) => ({ default: module.SpansTab })));
const EventsTab = lazy(() => import("./events.tsx").then((module) => ({ default: module.EventsTab })));
const GraphTab = lazy(() => import("./graph.tsx").then((module) => ({ default: module.GraphTab })));
const JsonTab = lazy(() => import("./json.tsx").then((module) => ({ default: module.JsonTab })));

interface Props {
  analysis: Analysis;
  traceId: string;
  state: TraceState;
  change: (change: Partial<TraceState>) => void;
  onReload: () => void;
}

/** Views beside which the panel is open from the start; a table gets it once a span was chosen. */
const DRAWN: ReadonlySet<string> = new Set(["timeline", "flame", "graph"]);
const ROW_HEIGHTS = { compact: 14, normal: 20, roomy: 26 } as const;
const ROW_HEIGHT_TOUCH = 34;

export function TraceView({ analysis, traceId, state, change, onReload }: Props) {
  const { trace } = analysis;
  const traceKey: TraceKey = useMemo(
    () => ({ traceId, version: trace.version, raw: state.raw }),
    [traceId, trace.version, state.raw],
  );
  const model = useTraceModel(analysis, traceKey, state, change);
  const density = usePrefs((prefs) => prefs.density);
  const setPrefs = usePrefs((prefs) => prefs.set);
  const timeline = useRef<TimelineHandle>(null);
  const findField = useRef<HTMLInputElement>(null);
  const rangeSink = useRef<RangeSink>(() => undefined);
  const { small, rows, selected } = model;

  const select = useCallback(
    (row: number, focus = false) => {
      const position = model.select(row);
      if (position >= 0) timeline.current?.show(position, focus);
    },
    [model],
  );
  const openFind = useCallback(() => {
    findField.current?.focus();
    findField.current?.select();
  }, []);
  const copyLink = useCallback(() => {
    const url = new URL(window.location.href);
    if (selected !== null) url.searchParams.set("span", spanIdOf(trace, selected));
    void navigator.clipboard?.writeText(url.href);
  }, [selected, trace]);
  useTraceKeys({ model, timeline, select, openFind, copyLink, change, traceId });

  const context: RowContext = useMemo(
    () => ({
      analysis,
      rows,
      looks: model.looks,
      folded: model.shape.folded,
      open: model.shape.open,
      matches: model.matches,
      words: model.words,
      rowHeight: small ? ROW_HEIGHT_TOUCH : ROW_HEIGHTS[density],
      stacked: small,
    }),
    [analysis, rows, model.looks, model.shape, model.matches, model.words, small, density],
  );
  const onRange = useCallback((first: number, last: number) => rangeSink.current(first, last), []);
  const tab = state.tab;
  const common = { analysis, traceKey, model, onSelect: select };
  const title = (
    <>
      <span>Service and operation</span> ·
      <select
        className="select"
        aria-label="Row height"
        value={density}
        onChange={(event) => setPrefs({ density: event.target.value as typeof density })}
      >
        <option value="compact">Compact</option>
        <option value="normal">Normal</option>
        <option value="roomy">Roomy</option>
      </select>
    </>
  );
  return (
    <div className={`trace${density === "roomy" ? " rows-roomy" : ""}`}>
      {!state.embed && <TraceHead analysis={analysis} model={model} traceId={traceId} onReload={onReload} />}
      <TraceBar
        model={model}
        analysis={analysis}
        state={state}
        change={change}
        traceId={traceId}
        findField={findField}
        onSelect={select}
      />
      <Notices analysis={analysis} />
      <div className="trace-body">
        <div className="trace-main">
          {(tab === "timeline" || tab === "flame") && (
            <TraceMinimap analysis={analysis} viewport={model.viewport} looks={model.looks} matches={model.matches} />
          )}
          {tab === "timeline" && small && model.errorPathSize > 0 && (
            <div className="trace-choice">
              <Segmented
                label="Rows"
                value={model.onErrorPath ? "errors" : "all"}
                choices={[
                  { value: "errors", label: `Error path ${count(model.errorPathSize)}` },
                  { value: "all", label: model.onErrorPath ? "All rows" : `All ${count(rows.count)} rows` },
                ]}
                onChange={(value) => model.setOnErrorPath(value === "errors")}
              />
            </div>
          )}
          {tab === "timeline" && (
            <Timeline
              context={context}
              viewport={model.viewport}
              selected={selected}
              critical={model.critical}
              onSelect={(row, position) => (rows.group[position] === NO_GROUP ? select(row) : model.toggle(position))}
              onToggle={model.toggle}
              onRange={onRange}
              handle={timeline}
              head={title}
            />
          )}
          <Suspense fallback={<div className="trace-scroll" />}>
            {tab === "flame" && <FlameTab {...common} />}
            {tab === "statistics" && <StatisticsTab {...common} />}
            {tab === "spans" && <SpansTab {...common} />}
            {tab === "events" && <EventsTab {...common} />}
            {tab === "graph" && <GraphTab {...common} />}
            {tab === "json" && <JsonTab traceId={traceId} raw={state.raw} onRaw={(raw: boolean) => change({ raw })} />}
          </Suspense>
          {!state.embed && (
            <TraceFoot analysis={analysis} context={context} sink={tab === "timeline" ? rangeSink : null} />
          )}
        </div>
        {model.panel && selected !== null && (DRAWN.has(tab) || (state.span !== null && tab !== "json")) && (
          <SpanPanel
            key={selected}
            analysis={analysis}
            traceKey={traceKey}
            row={selected}
            patterns={model.patterns}
            onSelect={select}
            onNextError={analysis.errors.length > 1 ? () => select(model.nextError(1) ?? selected) : null}
            onFind={(find) => change({ find })}
            onEvents={() => change({ tab: "events" })}
            onClose={() => model.setPanel(false)}
            onCopyLink={copyLink}
          />
        )}
      </div>
    </div>
  );
}

function Notices({ analysis }: { analysis: Analysis }) {
  const { trace } = analysis;
  return (
    <>
      <Partial missing={trace.partial} />
      {trace.cut !== null && (
        <Notice>
          <b>This trace is cut:</b> the first {count(trace.cut.limit)} of {count(trace.cut.found)} spans.
        </Notice>
      )}
      {trace.traceWarnings.map((warning) => (
        <Notice key={warning} tone="plain">
          <Text value={warning} />
        </Notice>
      ))}
    </>
  );
}

const LEGEND = 4;

/** Told which rows are on screen; only the foot line renders again while one scrolls. */
type RangeSink = (first: number, last: number) => void;

interface FootProps {
  analysis: Analysis;
  context: RowContext;
  sink: RefObject<RangeSink> | null;
}

function TraceFoot({ analysis, context, sink }: FootProps) {
  const [held, setRange] = useState<readonly [number, number]>([0, 0]);
  useLayoutEffect(() => {
    if (sink === null) return;
    sink.current = (first, last) => setRange((now) => (now[0] === first && now[1] === last ? now : [first, last]));
  }, [sink]);
  const range =
    sink === null ? null : ([Math.min(held[0], context.rows.count), Math.min(held[1], context.rows.count)] as const);
  const { trace, services } = analysis;
  return (
    <Foot
      end={
        <span className="hide-small">
          <kbd>j</kbd> <kbd>k</kbd> span · <kbd>[</kbd> <kbd>]</kbd> fold · <kbd>?</kbd>
        </span>
      }
    >
      {range !== null && (
        <span>
          rows {count(Math.min(range[0] + 1, context.rows.count))}–{count(range[1])} of {count(context.rows.count)} ·{" "}
          {count(spansIn(context, range))} of {count(trace.count)} spans
        </span>
      )}
      <span className="trace-legend">
        <span className="faint">self time</span>
        {services.slice(0, LEGEND).map((one) => (
          <span key={one.service}>
            <ServiceName name={trace.services[one.service] ?? ""} />{" "}
            <span className="faint">{duration(one.selfNano)}</span>
          </span>
        ))}
        {services.length > LEGEND && <span>{services.length - LEGEND} more</span>}
      </span>
    </Foot>
  );
}

/** Spans that the rows on screen stand for: members of groups and folded descendants count. */
function spansIn(context: RowContext, [first, last]: readonly [number, number]): number {
  const { rows, analysis, folded, open } = context;
  const { descendants } = analysis.trace.columns;
  let spans = 0;
  for (let position = first; position < last; position++) {
    const row = rows.span[position] as number;
    const group = rows.group[position] as number;
    if (group === NO_GROUP) spans += 1 + (folded.has(row) ? (descendants[row] as number) : 0);
    else if (!open.has(group))
      for (const member of membersOf(analysis.groups, group)) spans += 1 + (descendants[member] as number);
  }
  return spans;
}
