import { useState } from "react";
import { apiUrl } from "../../api/client.ts";
import type { TraceSummary } from "../../api/wire.ts";
import { useParams, useSetParams, useTime, writeParams } from "../../app/location.ts";
import { fixed } from "../../app/range.ts";
import { rangeParams } from "../../app/timecontrol.tsx";
import type { Box } from "../../canvas/scatter.ts";
import { Button, Segmented } from "../../design/controls.tsx";
import { count, goDuration } from "../../design/format.ts";

interface SummaryProps {
  traces: readonly TraceSummary[];
  shown: readonly TraceSummary[];
  /** There are more pages. */
  more: boolean;
  lowerBound: boolean;
  view: "table" | "list";
  box: Box | null;
  picked: readonly string[];
  onCompare: () => void;
  onClearPicked: () => void;
  live: { paused: boolean; waiting: number; toggle: () => void } | null;
}

const VIEWS = [
  { value: "table", label: "Table" },
  { value: "list", label: "List" },
] as const;
const DOWNLOAD_MAX = 100;

/** The sentence above the plot: how many, how many of them failed; what to do with the selection. */
export function Summary({
  traces,
  shown,
  more,
  lowerBound,
  view,
  box,
  picked,
  onCompare,
  onClearPicked,
  live,
}: SummaryProps) {
  const setParams = useSetParams();
  const failed = shown.filter((trace) => trace.errors > 0).length;
  const sign = lowerBound ? "≥ " : "";
  const narrow = (limits: Box) =>
    setParams({
      ...rangeParams(Math.floor(limits.fromMs).toString(), Math.ceil(limits.toMs).toString()),
      minTraceDuration: goDuration(limits.fromNano),
      maxTraceDuration: goDuration(limits.toNano),
      box: undefined,
      page: undefined,
      n: undefined,
    });
  return (
    <div className="summary">
      <h1>
        {sign}
        {count(shown.length)}
        {box === null ? (shown.length === 1 ? " trace" : " traces") : ` of ${count(traces.length)} traces`}
        {more && box === null && <span className="summary-more">, more on the next page</span>}
      </h1>
      <span className="summary-key">
        <i className="dot dot-failed" aria-hidden="true" /> {count(failed)} with errors
      </span>
      <span className="summary-key">
        <i className="dot" aria-hidden="true" /> {count(shown.length - failed)} without
      </span>
      <span className="faint hide-medium">size: spans · duration, log scale · drag to filter</span>
      {box !== null && (
        <>
          <Button onClick={() => narrow(box)}>Search this box</Button>
          <Button look="quiet" onClick={() => setParams({ box: undefined })}>
            Drop the box
          </Button>
        </>
      )}
      {live !== null && (
        <Button onClick={live.toggle} aria-pressed={live.paused}>
          {live.paused ? `Paused, ${count(live.waiting)} new` : "Live: pause"}
        </Button>
      )}
      <span className="spacer" />
      {picked.length > 0 && (
        <>
          <Button look="primary" disabled={picked.length < 2} onClick={onCompare}>
            {picked.length < 2 ? "Select one more to compare" : "Compare"}
          </Button>
          <Button look="quiet" onClick={onClearPicked}>
            Clear
          </Button>
        </>
      )}
      <a
        className="button button-plain hide-small"
        download="traces.json"
        title={`The ${Math.min(shown.length, DOWNLOAD_MAX)} traces in full, as JSON`}
        href={apiUrl("api/traces", {
          traceID: (picked.length > 0 ? picked : shown.map((trace) => trace.traceId)).slice(0, DOWNLOAD_MAX),
        })}
      >
        Download
      </a>
      <Segmented
        label="Results as"
        value={view}
        choices={VIEWS}
        className="hide-small"
        onChange={(next) => setParams({ view: next === "list" ? "list" : undefined }, true)}
      />
    </div>
  );
}

/** Copies a link with fixed ends of the range: who opens it later sees the same. */
export function ShareButton() {
  const params = useParams();
  const { range } = useTime();
  const [done, setDone] = useState(false);
  const share = async () => {
    const { live: _live, refresh: _refresh, start: _start, end: _end, lookback: _lookback, ...kept } = params;
    const url = new URL(window.location.href);
    url.search = writeParams({ ...kept, ...fixed(range) });
    await navigator.clipboard.writeText(url.href);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <Button
      className="hide-small"
      title="Copy a link to this result, its time range fixed"
      onClick={() => void share()}
    >
      {done ? "Link copied" : "Share"}
    </Button>
  );
}
