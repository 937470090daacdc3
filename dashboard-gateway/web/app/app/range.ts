// The time range: a small grammar in the URL (`from`, `to`, `vs`, `refresh`), resolved to milliseconds against one shared "now".
import { iso, parseIso, span, type Zone } from "../design/clock.ts";

/** As written: `now-1h`, `now`, `now-1d/d`, or milliseconds since 1970. */
export interface RangeText {
  readonly from: string;
  readonly to: string;
}

export interface Range {
  readonly startMs: number;
  readonly endMs: number;
}

/** With what the range is compared: the day or the week before, the time just before, nothing. */
export type Versus = "1d" | "7d" | "prev" | "off";

export const DEFAULT_RANGE: RangeText = { from: "now-1h", to: "now" };
export const DEFAULT_VERSUS: Versus = "1d";

const UNITS: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 7 * 86_400e3 };

/** Quick ranges: what is written, and how it is called. */
export const QUICK: readonly (readonly [string, string])[] = [
  ["now-5m", "last 5 min"],
  ["now-15m", "last 15 min"],
  ["now-30m", "last 30 min"],
  ["now-1h", "last 1 h"],
  ["now-3h", "last 3 h"],
  ["now-6h", "last 6 h"],
  ["now-12h", "last 12 h"],
  ["now-24h", "last 24 h"],
  ["now-2d", "last 2 days"],
  ["now-7d", "last 7 days"],
];

/** Resolves one end; null if the text is not of the grammar. Rounding (`/d`, `/h`) goes down for a start, up for an end. */
export function resolvePoint(text: string, nowMs: number, zone: Zone, end: boolean): number | null {
  const trimmed = text.trim();
  if (/^\d{10,}$/.test(trimmed)) return Number(trimmed);
  const hit = /^now(?:([-+])(\d+)([smhdw]))?(?:\/([hdw]))?$/.exec(trimmed);
  if (hit === null) return parseIso(trimmed, zone);
  const [, sign, amount, unit, round] = hit;
  const shift = amount === undefined ? 0 : Number(amount) * (UNITS[unit ?? "s"] ?? 0) * (sign === "-" ? -1 : 1);
  const at = nowMs + shift;
  return round === undefined ? at : rounded(at, round, zone, end);
}

function rounded(ms: number, unit: string, zone: Zone, end: boolean): number {
  const offset = zone === "utc" ? 0 : -new Date(ms).getTimezoneOffset() * 60_000;
  const size = UNITS[unit] ?? 1;
  // weeks begin on Monday; the first of January 1970 was a Thursday
  const shift = unit === "w" ? 3 * 86_400e3 : 0;
  const floor = Math.floor((ms + offset + shift) / size) * size - offset - shift;
  return end ? floor + size : floor;
}

/** Both ends; a range that cannot be read or runs backwards becomes the default. */
export function resolveRange(text: RangeText, nowMs: number, zone: Zone): Range {
  const startMs = resolvePoint(text.from, nowMs, zone, false);
  const endMs = resolvePoint(text.to, nowMs, zone, true);
  if (startMs === null || endMs === null || startMs >= endMs) {
    return { startMs: nowMs - 3600e3, endMs: nowMs };
  }
  return { startMs, endMs };
}

export function versusRange(range: Range, versus: Versus): Range | null {
  const length = range.endMs - range.startMs;
  const back = { "1d": 86_400e3, "7d": 7 * 86_400e3, prev: length, off: 0 }[versus];
  if (back === 0) return null;
  // a range longer than its distance would overlap itself: whole distances further back
  const steps = Math.max(1, Math.ceil(length / back));
  return { startMs: range.startMs - back * steps, endMs: range.endMs - back * steps };
}

/** How the compared range is called in a sentence: "22× yesterday". */
export const VERSUS_WORDS: Record<Versus, { word: string; button: string; name: string }> = {
  "1d": { word: "yesterday", button: "vs yesterday", name: "Yesterday, same time" },
  "7d": { word: "last week", button: "vs last week", name: "Last week, same time" },
  prev: { word: "before", button: "vs before", name: "The time just before" },
  off: { word: "", button: "compare", name: "Nothing" },
};

export function isVersus(text: unknown): text is Versus {
  return text === "1d" || text === "7d" || text === "prev" || text === "off";
}

/** How often a page that looks at "now" asks again, seconds; 0 is never. */
export const REFRESHES = [0, 5, 10, 30, 60, 300] as const;

/** `last 1 h`, or null for a range with fixed ends. */
export function quickName(text: RangeText): string | null {
  if (text.to !== "now") return null;
  return (
    QUICK.find(([from]) => from === text.from)?.[1] ??
    (text.from.startsWith("now-") ? `last ${text.from.slice(4)}` : null)
  );
}

/** The ends of a range as an editor shows them. */
export function editable(text: string, ms: number, zone: Zone): string {
  return text.startsWith("now") ? text : iso(ms, zone);
}

/** A step in seconds that gives about `points` of them, from a list that people count in. */
export function stepSeconds(range: Range, points = 90): number {
  const wanted = (range.endMs - range.startMs) / 1000 / points;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];
  return steps.find((step) => step >= wanted * 0.99) ?? 86_400;
}

/** The range as two texts with fixed ends, for links that must not move. */
export function fixed(range: Range): RangeText {
  return { from: Math.round(range.startMs).toString(), to: Math.round(range.endMs).toString() };
}

/** `1 h`, `30 min`: how long a range is. */
export function rangeLength(range: Range): string {
  return span(range.endMs - range.startMs);
}
