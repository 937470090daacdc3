// What every page's URL holds in common: time range, compared range, refresh. Plain strings, repeated keys become lists.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useNow } from "./now.ts";
import { usePrefs } from "./prefs.ts";
import {
  DEFAULT_RANGE,
  DEFAULT_VERSUS,
  isVersus,
  type Range,
  type RangeText,
  resolveRange,
  type Versus,
  versusRange,
} from "./range.ts";

/** The search part of a URL as it is written: no types but text. */
export type Params = Record<string, string | string[]>;

export function parseParams(search: string): Params {
  const out: Params = {};
  for (const [key, value] of new URLSearchParams(search)) {
    const held = out[key];
    out[key] = held === undefined ? value : Array.isArray(held) ? [...held, value] : [held, value];
  }
  return out;
}

export function writeParams(params: Record<string, unknown>): string {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (Array.isArray(value)) for (const one of value) out.append(key, String(one));
    else if (value !== undefined && value !== null && value !== "") out.append(key, String(value));
  }
  const text = out.toString();
  // these are legal in a query and make it readable
  return text === ""
    ? ""
    : `?${text.replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%2C/g, ",").replace(/%40/g, "@")}`;
}

/** The one value of a parameter. */
export function one(params: Params, key: string): string | undefined {
  const value = params[key];
  return Array.isArray(value) ? value[0] : value;
}

/** All values of a parameter. */
export function all(params: Params, key: string): string[] {
  const value = params[key];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The parameters of the present URL. */
export function useParams(): Params {
  return useSearch({ strict: false }) as Params;
}

/** Changes parameters of the present URL: `undefined` removes one. A step in history unless `replace`. */
export function useSetParams(): (change: Record<string, string | string[] | undefined>, replace?: boolean) => void {
  const navigate = useNavigate();
  return useCallback(
    (change, replace = false) => {
      const search = (held: Record<string, unknown>) => {
        const next: Record<string, unknown> = { ...held, ...change };
        for (const key of Object.keys(next)) if (next[key] === undefined) delete next[key];
        return next as never;
      };
      void navigate({ to: ".", search, replace, resetScroll: false });
    },
    [navigate],
  );
}

export interface TimeState {
  readonly text: RangeText;
  readonly range: Range;
  readonly versus: Versus;
  /** The compared range; null when nothing is compared. */
  readonly then: Range | null;
  /** Seconds between automatic refreshes, 0 for none. */
  readonly refresh: number;
}

/** Jaeger's links carry `start` and `end` in microseconds, or `lookback`; they mean the same here. */
function rangeText(params: Params): RangeText {
  const start = one(params, "start");
  const end = one(params, "end");
  if (start !== undefined && end !== undefined && /^\d{16}$/.test(start) && /^\d{16}$/.test(end)) {
    return { from: start.slice(0, 13), to: end.slice(0, 13) };
  }
  const lookback = one(params, "lookback");
  const from =
    one(params, "from") ?? (lookback && /^\d+[smhdw]$/.test(lookback) ? `now-${lookback}` : DEFAULT_RANGE.from);
  return { from, to: one(params, "to") ?? DEFAULT_RANGE.to };
}

/** The page's time: what the URL says, resolved against the shared now. */
export function useTime(): TimeState {
  const params = useParams();
  const nowMs = useNow((state) => state.nowMs);
  const zone = usePrefs((state) => state.zone);
  const { from, to } = rangeText(params);
  const vs = one(params, "vs");
  const versus = isVersus(vs) ? vs : DEFAULT_VERSUS;
  const refresh = Number(one(params, "refresh") ?? 0) || 0;
  return useMemo(() => {
    const text = { from, to };
    const range = resolveRange(text, nowMs, zone);
    return { text, range, versus, then: versusRange(range, versus), refresh };
  }, [from, to, nowMs, zone, versus, refresh]);
}

/** Parameters that a link to another page takes along. */
export function carried(params: Params): Params {
  const { from, to } = rangeText(params);
  const out: Params = {};
  if (from !== DEFAULT_RANGE.from || to !== DEFAULT_RANGE.to) Object.assign(out, { from, to });
  for (const key of ["vs", "refresh"]) {
    const value = one(params, key);
    if (value !== undefined) out[key] = value;
  }
  return out;
}

export function useCarried(): Params {
  const params = useParams();
  return useMemo(() => carried(params), [params]);
}
