// One trace: its skeleton, details of spans, events, find on the server, Jaeger's JSON. Row numbers are only true for the
// version of the skeleton they came with, so the version goes along; a 409 means that the trace has grown meanwhile.
import { queryOptions } from "@tanstack/react-query";
import type { Analysis } from "../trace/analysis.ts";
import { detailsMatch, type SpanDetails, type TraceEvent } from "../trace/details.ts";
import { parseFind } from "../trace/find.ts";
import type { UploadedTrace } from "../trace/jaeger.ts";
import { loadSkeleton } from "../trace/loader.ts";
import { uploadedTrace } from "../trace/upload.ts";
import { apiUrl, getBytes, getJson, send } from "./client.ts";

const path = (traceId: string) => `api/yc/v1/traces/${encodeURIComponent(traceId)}`;

/** As many rows as the server answers in one go. */
export const ROWS_MAX = 500;

/** The trace, ready to be shown; an uploaded one comes out of this browser. */
export function traceQuery(traceId: string, raw: boolean) {
  return queryOptions({
    queryKey: ["trace", traceId, raw],
    queryFn: async ({ signal }): Promise<Analysis> => {
      const uploaded = uploadedTrace(traceId);
      if (uploaded !== undefined) return uploaded.analysis;
      return loadSkeleton(await getBytes(`${path(traceId)}/skeleton`, { raw: raw || null }, signal), signal);
    },
    // Large typed arrays: equal content is not worth comparing.
    structuralSharing: false,
    gcTime: 60_000,
  });
}

/** How the server is asked about rows of one version of a trace. */
export interface TraceKey {
  readonly traceId: string;
  readonly version: string;
  readonly raw: boolean;
}

function about(key: TraceKey) {
  return { version: key.version, raw: key.raw || null };
}

export function spanQuery(key: TraceKey, row: number | null) {
  return queryOptions({
    queryKey: ["span", key.traceId, key.version, key.raw, row],
    queryFn: async ({ signal }) => (await spans(key, String(row), signal))[0] ?? null,
    enabled: row !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Details of rows, written as the server reads them: `5,6,7-20`, at most ROWS_MAX. */
export async function spans(key: TraceKey, rows: string, signal?: AbortSignal): Promise<readonly SpanDetails[]> {
  const uploaded = uploadedTrace(key.traceId);
  if (uploaded !== undefined) return rowsOf(rows).flatMap((row) => uploaded.spans[row] ?? []);
  const answer = await getJson<{ spans: SpanDetails[] }>(`${path(key.traceId)}/spans`, { rows, ...about(key) }, signal);
  return answer.spans;
}

function rowsOf(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** Details of many rows, in order, ROWS_MAX at a time. */
export async function manySpans(
  key: TraceKey,
  rows: readonly number[],
  progress: (done: number) => void,
  signal?: AbortSignal,
): Promise<SpanDetails[]> {
  const out: SpanDetails[] = [];
  for (let at = 0; at < rows.length; at += ROWS_MAX) {
    out.push(...(await spans(key, ranges(rows.slice(at, at + ROWS_MAX)), signal)));
    progress(out.length);
  }
  return out;
}

/** `[1, 2, 3, 7]` as `1-3,7`. */
export function ranges(rows: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < rows.length; ) {
    let end = i;
    while (rows[end + 1] === (rows[end] ?? 0) + 1) end += 1;
    parts.push(end === i ? `${rows[i]}` : `${rows[i]}-${rows[end]}`);
    i = end + 1;
  }
  return parts.join(",");
}

export const EVENTS_MAX = 2000;

export function eventsQuery(key: TraceKey) {
  return queryOptions({
    queryKey: ["trace-events", key.traceId, key.version, key.raw],
    queryFn: async ({ signal }) => {
      const uploaded = uploadedTrace(key.traceId);
      if (uploaded !== undefined) return uploadedEvents(uploaded);
      const query = { limit: EVENTS_MAX, ...about(key) };
      return (await getJson<{ events: TraceEvent[] }>(`${path(key.traceId)}/events`, query, signal)).events;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

function uploadedEvents(trace: UploadedTrace): TraceEvent[] {
  const all = trace.spans.flatMap((span) => span.events.map((event) => ({ ...event, row: span.row })));
  return all.sort((a, b) => Number(BigInt(a.time) - BigInt(b.time))).slice(0, EVENTS_MAX);
}

/** Rows whose attributes, events or links hold the words; ascending. */
export function findQuery(key: TraceKey, text: string) {
  return queryOptions({
    queryKey: ["trace-find", key.traceId, key.version, key.raw, text],
    queryFn: async ({ signal }): Promise<readonly number[]> => {
      const uploaded = uploadedTrace(key.traceId);
      if (uploaded !== undefined) {
        const { words, excluded } = parseFind(text);
        return uploaded.spans.filter((span) => detailsMatch(span, words, excluded)).map((span) => span.row);
      }
      const answer = await getJson<{ rows: number[] }>(`${path(key.traceId)}/find`, { q: text, ...about(key) }, signal);
      return [...answer.rows].sort((a, b) => a - b);
    },
    enabled: parseFind(text).words.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Jaeger's JSON of the trace, as text: for the JSON view, for download. */
export async function traceJson(traceId: string, raw: boolean, signal?: AbortSignal): Promise<string> {
  const response = await send(traceJsonUrl(traceId, raw), { signal });
  return response.text();
}

export function traceJsonUrl(traceId: string, raw: boolean): string {
  return apiUrl(`api/traces/${encodeURIComponent(traceId)}`, { raw: raw || null });
}

/** OTLP JSON as Jaeger JSON. */
export async function transformOtlp(otlpJson: string): Promise<unknown> {
  const response = await send(apiUrl("api/transform"), { method: "POST", body: JSON.parse(otlpJson) as unknown });
  return response.json();
}

export async function archiveTrace(traceId: string): Promise<void> {
  await send(apiUrl(`api/archive/${encodeURIComponent(traceId)}`), { method: "POST" });
}
