// Time range, compared range and refresh as one control; all of it lives in the URL.
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { clockMinute, dayMinute, zoneName } from "../design/clock.ts";
import { Button, Field, Input, Select } from "../design/controls.tsx";
import { Popover } from "../design/popover.tsx";
import { RefreshIcon } from "./icons.tsx";
import { useKeys } from "./keys.ts";
import { type TimeState, useSetParams, useTime } from "./location.ts";
import { useNow } from "./now.ts";
import { usePrefs } from "./prefs.ts";
import {
  DEFAULT_VERSUS,
  editable,
  QUICK,
  quickName,
  REFRESHES,
  resolvePoint,
  VERSUS_WORDS,
  type Versus,
} from "./range.ts";

/** Asks everything of the page again, against a new "now". */
function useRefresh(): () => void {
  const queries = useQueryClient();
  const move = useNow((state) => state.refresh);
  return () => {
    move();
    void queries.invalidateQueries({ refetchType: "active" });
  };
}

export function TimeControl() {
  const time = useTime();
  const setParams = useSetParams();
  const [open, setOpen] = useState<"range" | "versus" | null>(null);
  const refresh = useRefresh();
  const busy = useIsFetching() > 0;
  useAutoRefresh(time.refresh, refresh);
  useTimeKeys(time, setOpen, refresh);
  return (
    <div className="time">
      <div className="anchor">
        <Button
          className="time-range"
          aria-haspopup="dialog"
          aria-expanded={open === "range"}
          onClick={() => setOpen(open === "range" ? null : "range")}
        >
          <RangeWords time={time} />
        </Button>
        <Popover open={open === "range"} onClose={() => setOpen(null)} label="Time range" align="end">
          <RangeEditor time={time} onDone={() => setOpen(null)} />
        </Popover>
      </div>
      <div className="anchor hide-small">
        <Button
          aria-haspopup="dialog"
          aria-expanded={open === "versus"}
          onClick={() => setOpen(open === "versus" ? null : "versus")}
        >
          {VERSUS_WORDS[time.versus].button}
        </Button>
        <Popover open={open === "versus"} onClose={() => setOpen(null)} label="Compare with" align="end">
          <div className="menu">
            {(Object.keys(VERSUS_WORDS) as Versus[]).map((versus) => (
              <button
                key={versus}
                type="button"
                className="menu-item"
                aria-pressed={versus === time.versus}
                onClick={() => {
                  setParams({ vs: versus === DEFAULT_VERSUS ? undefined : versus });
                  setOpen(null);
                }}
              >
                {VERSUS_WORDS[versus].name}
              </button>
            ))}
          </div>
        </Popover>
      </div>
      <Button look="icon" aria-label="Refresh" title="Refresh (r)" aria-busy={busy} onClick={refresh}>
        <RefreshIcon />
      </Button>
    </div>
  );
}

function RangeWords({ time }: { time: TimeState }) {
  const zone = usePrefs((state) => state.zone);
  const { startMs, endMs } = time.range;
  const name = quickName(time.text);
  const long = endMs - startMs > 24 * 3600e3;
  const sameDay = !long && dayMinute(startMs, zone).split(" ")[0] === dayMinute(endMs, zone).split(" ")[0];
  const recent = sameDay && Date.now() - endMs < 12 * 3600e3;
  const words = (ms: number) => (recent || (!long && name !== null) ? clockMinute(ms, zone) : dayMinute(ms, zone));
  return (
    <>
      <b>
        {words(startMs)}–{sameDay ? clockMinute(endMs, zone) : words(endMs)}
      </b>
      {name !== null && <span className="faint hide-medium">{name}</span>}
    </>
  );
}

function RangeEditor({ time, onDone }: { time: TimeState; onDone: () => void }) {
  const zone = usePrefs((state) => state.zone);
  const setParams = useSetParams();
  const [from, setFrom] = useState(editable(time.text.from, time.range.startMs, zone));
  const [to, setTo] = useState(editable(time.text.to, time.range.endMs, zone));
  const [problem, setProblem] = useState<string | null>(null);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.select(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const nowMs = Date.now();
    const [start, end] = [resolvePoint(from, nowMs, zone, false), resolvePoint(to, nowMs, zone, true)];
    if (start === null || end === null) setProblem("Write now-2h, or 2026-11-08 04:10");
    else if (start >= end) setProblem("The range ends before it begins");
    else {
      setParams(rangeParams(written(from, start), written(to, end)));
      onDone();
    }
  };
  return (
    <div className="range-editor">
      <form onSubmit={submit}>
        <Field label={`From (${zoneName(zone)})`}>
          {(ids) => <Input {...ids} ref={first} value={from} onChange={(event) => setFrom(event.target.value)} />}
        </Field>
        <Field label="To" error={problem}>
          {(ids) => <Input {...ids} value={to} onChange={(event) => setTo(event.target.value)} />}
        </Field>
        <Button look="primary" type="submit">
          Apply
        </Button>
        <Field label="Refresh">
          {(ids) => (
            <Select
              {...ids}
              value={time.refresh}
              onChange={(event) => setParams({ refresh: event.target.value === "0" ? undefined : event.target.value })}
            >
              {REFRESHES.map((seconds) => (
                <option key={seconds} value={seconds}>
                  {seconds === 0 ? "by hand (r)" : seconds < 60 ? `every ${seconds} s` : `every ${seconds / 60} min`}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Compare with">
          {(ids) => (
            <Select
              {...ids}
              value={time.versus}
              onChange={(event) =>
                setParams({ vs: event.target.value === DEFAULT_VERSUS ? undefined : event.target.value })
              }
            >
              {(Object.keys(VERSUS_WORDS) as Versus[]).map((versus) => (
                <option key={versus} value={versus}>
                  {VERSUS_WORDS[versus].name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </form>
      <div className="menu">
        {QUICK.map(([text, name]) => (
          <button
            key={text}
            type="button"
            className="menu-item"
            aria-pressed={time.text.from === text && time.text.to === "now"}
            onClick={() => {
              setParams(rangeParams(text, "now"));
              onDone();
            }}
          >
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}

/** Relative texts stay as they are, points become milliseconds, so that the zone does not change what a link means. */
function written(text: string, ms: number): string {
  return text.trim().startsWith("now") ? text.trim() : Math.round(ms).toString();
}

/** The parameters of a range; Jaeger's own names for it are dropped. */
export function rangeParams(from: string, to: string): Record<string, string | undefined> {
  return { from, to, start: undefined, end: undefined, lookback: undefined };
}

function useAutoRefresh(seconds: number, refresh: () => void): void {
  const latest = useRef(refresh);
  latest.current = refresh;
  useEffect(() => {
    if (seconds <= 0) return;
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
}

function useTimeKeys(time: TimeState, open: (which: "range" | "versus") => void, refresh: () => void): void {
  const setParams = useSetParams();
  useKeys("Time", [
    { keys: "t t", does: "choose the time range", run: () => open("range") },
    {
      keys: "t c",
      does: "copy the range",
      run: () => void navigator.clipboard.writeText(JSON.stringify(time.text)),
    },
    {
      keys: "t v",
      does: "paste a range",
      run: () => void navigator.clipboard.readText().then((text) => setParams(pasted(text))),
    },
    { keys: "c", does: "compare with another range", run: () => open("versus") },
    { keys: "r", does: "refresh", run: refresh },
    { keys: "Ctrl+Z", does: "back to the range before", run: () => window.history.back() },
  ]);
}

function pasted(text: string): Record<string, string | undefined> {
  try {
    const { from, to } = JSON.parse(text) as { from?: unknown; to?: unknown };
    if (typeof from === "string" && typeof to === "string" && isRange(from, to)) return rangeParams(from, to);
  } catch {
    // not a copied range: nothing changes
  }
  return {};
}

function isRange(from: string, to: string): boolean {
  const nowMs = Date.now();
  const [start, end] = [resolvePoint(from, nowMs, "utc", false), resolvePoint(to, nowMs, "utc", true)];
  return start !== null && end !== null && start < end;
}
