// Under the head: tabs, find with its count, service filter, switches, what can be done with the whole trace.

import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, type RefObject, useState } from "react";
import { archiveTrace, traceJson } from "../../api/trace.ts";
import { Button } from "../../design/controls.tsx";
import { count } from "../../design/format.ts";
import { Popover } from "../../design/popover.tsx";
import { ServiceName } from "../../design/service.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import type { TraceModel } from "./model.ts";
import { useOpenFiles } from "./page.tsx";
import { TABS, type Tab, type TraceState } from "./state.ts";

interface Props {
  model: TraceModel;
  analysis: Analysis;
  state: TraceState;
  change: (change: Partial<TraceState>) => void;
  traceId: string;
  findField: RefObject<HTMLInputElement | null>;
  onSelect: (row: number, focus?: boolean) => void;
}

const NAMES: Record<Tab, string> = {
  timeline: "Timeline",
  flame: "Flame",
  statistics: "Statistics",
  spans: "Spans",
  events: "Events",
  graph: "Graph",
  json: "JSON",
};

export function TraceBar(props: Props) {
  const { model, state } = props;
  return (
    <div className="trace-bar">
      <Tabs state={state} change={props.change} />
      <span className="spacer" />
      <Find {...props} />
      <ServiceFilter {...props} />
      <span className="segmented hide-small">
        <button
          type="button"
          aria-pressed={model.critical}
          title="v"
          onClick={() => model.setCritical(!model.critical)}
        >
          Critical path
        </button>
        <button
          type="button"
          aria-pressed={model.shape.grouped}
          title="."
          onClick={() => model.setGrouped(!model.shape.grouped)}
        >
          Group similar
        </button>
      </span>
      <Actions {...props} />
    </div>
  );
}

function Tabs({ state, change }: Pick<Props, "state" | "change">) {
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const tab = TABS[(TABS.indexOf(state.tab) + by + TABS.length) % TABS.length];
    if (tab === undefined) return;
    change({ tab });
    document.getElementById(`tab-${tab}`)?.focus();
  };
  return (
    <div className="trace-tabs" role="tablist" aria-label="Views of the trace" onKeyDown={onKeyDown}>
      {TABS.map((tab, index) => (
        <button
          key={tab}
          id={`tab-${tab}`}
          type="button"
          role="tab"
          aria-selected={state.tab === tab}
          tabIndex={state.tab === tab ? 0 : -1}
          title={`${index + 1}`}
          onClick={() => change({ tab })}
        >
          {NAMES[tab]}
        </button>
      ))}
    </div>
  );
}

function Find({ model, state, change, findField, onSelect }: Props) {
  const go = (step: 1 | -1) => {
    const row = model.nextMatch(step);
    if (row !== null) onSelect(row);
  };
  const { matches, matchAt } = model;
  return (
    <search className="trace-find hide-small">
      <input
        ref={findField}
        value={state.find}
        placeholder="Find"
        aria-label="Find in the trace: words, &quot;phrases&quot;, -key leaves an attribute out"
        title={'words are alternatives, "phrases" stay together, -key leaves an attribute out'}
        onChange={(event) => change({ find: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
          else if (event.key === "Escape" && state.find !== "") {
            event.preventDefault();
            change({ find: "" });
          }
        }}
      />
      {model.words.length > 0 && (
        <>
          <span role="status">
            {model.finding && "… "}
            {matchAt > 0 ? `${count(matchAt)} of ${count(matches.length)}` : count(matches.length)}
          </span>
          <button type="button" aria-label="Next match" title="n" disabled={matches.length === 0} onClick={() => go(1)}>
            <kbd>n</kbd>
          </button>
          <button
            type="button"
            aria-label="Previous match"
            title="N"
            disabled={matches.length === 0}
            onClick={() => go(-1)}
          >
            <kbd>N</kbd>
          </button>
          <button type="button" aria-label="Clear" onClick={() => change({ find: "" })}>
            ×
          </button>
        </>
      )}
    </search>
  );
}

function ServiceFilter({ analysis, state, model }: Props) {
  const [open, setOpen] = useState(false);
  const { trace, services } = analysis;
  const shown = new Set(state.services ?? trace.services);
  const flip = (name: string) => {
    const next = trace.services.filter((one) => (one === name ? !shown.has(one) : shown.has(one)));
    model.setServices(next.length === trace.services.length || next.length === 0 ? null : next);
  };
  const filtered = model.shape.services !== null;
  return (
    <span className="anchor hide-small">
      <Button aria-expanded={open} onClick={() => setOpen(!open)}>
        {filtered ? `${shown.size} of ${trace.services.length} services` : `All ${trace.services.length} services`}
      </Button>
      <Popover open={open} onClose={() => setOpen(false)} label="Services" align="end">
        <div className="trace-services">
          {services.map((one) => {
            const name = trace.services[one.service] ?? "";
            return (
              <label key={one.service} className="trace-service">
                <input type="checkbox" checked={shown.has(name)} onChange={() => flip(name)} />
                <ServiceName name={name} />
                <span className="faint">{count(one.spans)}</span>
                <Button look="quiet" onClick={() => model.setServices([name])}>
                  only
                </Button>
              </label>
            );
          })}
          {filtered && <Button onClick={() => model.setServices(null)}>All services</Button>}
        </div>
      </Popover>
    </span>
  );
}

function Actions({ traceId, state, change }: Props) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState("");
  const navigate = useNavigate();
  const openFiles = useOpenFiles((report) =>
    setSaid(report.failures.map((one) => `${one.file}: ${one.reason}`).join("; ")),
  );
  const compare = (event: React.FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const other = String(new FormData(event.currentTarget).get("other") ?? "")
      .trim()
      .toLowerCase();
    if (/^[0-9a-f]{1,32}$/.test(other)) void navigate({ to: `/trace/${traceId}...${other}` as never });
    else setSaid("A trace id is up to 32 hex digits.");
  };
  const download = async (raw: boolean) => {
    const text = await traceJson(traceId, raw);
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `trace-${traceId}${raw ? "-raw" : ""}.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  const run = (task: Promise<unknown>, done: string) => {
    task.then(
      () => setSaid(done),
      (error: unknown) => setSaid(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <span className="anchor hide-small">
      <Button aria-expanded={open} onClick={() => setOpen(!open)}>
        More
      </Button>
      <Popover open={open} onClose={() => setOpen(false)} label="The whole trace" align="end">
        <form className="trace-compare" onSubmit={compare}>
          <input
            className="input"
            name="other"
            placeholder="Compare with trace id"
            aria-label="Compare with trace id"
            autoComplete="off"
            spellCheck={false}
          />
          <Button type="submit">Compare</Button>
        </form>
        <div className="menu">
          <button type="button" className="menu-item" onClick={() => run(download(false), "")}>
            Download JSON
          </button>
          <button type="button" className="menu-item" onClick={() => run(download(true), "")}>
            Download JSON as sent
          </button>
          <label className="menu-item">
            Open files …
            <input
              type="file"
              multiple
              accept=".json,application/json,.jsonl"
              className="visually-hidden"
              onChange={(event) => void openFiles([...(event.target.files ?? [])])}
            />
          </label>
          <button type="button" className="menu-item" onClick={() => run(archiveTrace(traceId), "Archived.")}>
            Archive
          </button>
          <button
            type="button"
            className="menu-item"
            aria-pressed={state.raw}
            onClick={() => change({ raw: !state.raw })}
          >
            {state.raw ? "Show it adjusted" : "Show it as sent (not adjusted)"}
          </button>
        </div>
        {said !== "" && (
          <div className="menu-words" role="status">
            {said}
          </div>
        )}
      </Popover>
    </span>
  );
}
