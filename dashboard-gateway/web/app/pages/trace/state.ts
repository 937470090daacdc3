// What the URL of a trace page holds: tab, selected span, zoom, find, service filter. Typing and dragging change it often, so
// the page keeps a copy and writes it back when it comes to rest.
import { useCallback, useEffect, useRef, useState } from "react";
import { one, type Params, useParams, useSetParams } from "../../app/location.ts";

export const TABS = ["timeline", "flame", "statistics", "spans", "events", "graph", "json"] as const;
export type Tab = (typeof TABS)[number];

export interface TraceState {
  readonly tab: Tab;
  /** Span id that is selected. */
  readonly span: string | null;
  /** Nanoseconds after the start of the trace. */
  readonly zoom: readonly [number, number] | null;
  readonly find: string;
  /** Names of the services that are shown; null for all. */
  readonly services: readonly string[] | null;
  readonly raw: boolean;
  readonly embed: boolean;
}

const KEYS = ["tab", "span", "zoom", "uiFind", "svcFilter", "raw", "uiEmbed"] as const;

export function readState(params: Params): TraceState {
  const tab = TABS.find((name) => name === one(params, "tab")) ?? "timeline";
  const zoom = /^(\d{1,18})-(\d{1,18})$/.exec(one(params, "zoom") ?? "");
  const span = one(params, "span") ?? null;
  const services = one(params, "svcFilter");
  return {
    tab,
    span: span !== null && /^[0-9a-f]{1,16}$/i.test(span) ? span.toLowerCase() : null,
    zoom: zoom === null ? null : [Number(zoom[1]), Number(zoom[2])],
    find: one(params, "uiFind") ?? "",
    services: services === undefined ? null : services.split(",").map(decodeURIComponentSafely),
    raw: one(params, "raw") === "true",
    embed: one(params, "uiEmbed") !== undefined,
  };
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function writeState(state: TraceState): Record<string, string | undefined> {
  return {
    tab: state.tab === "timeline" ? undefined : state.tab,
    span: state.span ?? undefined,
    zoom: state.zoom === null ? undefined : `${Math.round(state.zoom[0])}-${Math.round(state.zoom[1])}`,
    uiFind: state.find === "" ? undefined : state.find,
    // Names are encoded once more, since a name may hold the comma that separates them.
    svcFilter: state.services?.map(encodeURIComponent).join(","),
    raw: state.raw ? "true" : undefined,
    uiEmbed: state.embed ? "v0" : undefined,
  };
}

const REST_MS = 180;

function keyOf(state: TraceState): string {
  const written = writeState(state);
  return KEYS.map((key) => written[key] ?? "").join("\n");
}

export function useTraceState(): [TraceState, (change: Partial<TraceState>) => void] {
  const params = useParams();
  const setParams = useSetParams();
  const [state, setState] = useState(() => readState(params));
  const inUrl = readState(params);
  const urlKey = keyOf(inUrl);
  const ownKey = useRef(urlKey);
  const latest = useRef(inUrl);
  latest.current = inUrl;
  // The URL moved by itself (back, a link): it wins.
  useEffect(() => {
    if (urlKey === ownKey.current) return;
    ownKey.current = urlKey;
    setState(latest.current);
  }, [urlKey]);
  useEffect(() => {
    const key = keyOf(state);
    if (key === ownKey.current) return;
    const timer = setTimeout(() => {
      const step = state.tab !== latest.current.tab || state.raw !== latest.current.raw;
      ownKey.current = key;
      setParams(writeState(state), !step);
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [state, setParams]);
  const change = useCallback((part: Partial<TraceState>) => setState((held) => ({ ...held, ...part })), []);
  return [state, change];
}
