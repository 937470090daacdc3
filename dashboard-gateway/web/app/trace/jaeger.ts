// Jaeger's JSON (downloads of Jaeger and of ours, answers of /api/transform) as traces of this page. Input is a stranger's
// file: whatever does not fit is left out or refused in words, never trusted.

import { type Analysis, analyse } from "./analysis.ts";
import { assemble, type Seed } from "./assemble.ts";
import type { Attribute, SpanDetails, SpanEvent, SpanLink, ValueType } from "./details.ts";
import { KINDS, type Kind } from "./trace.ts";

/** A trace that lives in this browser only. */
export interface UploadedTrace {
  readonly analysis: Analysis;
  /** Details per row. */
  readonly spans: readonly SpanDetails[];
}

export class UploadError extends Error {
  override readonly name = "UploadError";
}

type Json = Record<string, unknown>;

/** All traces of a Jaeger JSON document. @throws UploadError when there is none. */
export function readJaeger(document: unknown): UploadedTrace[] {
  const data = object(document)?.["data"];
  const traces = Array.isArray(data) ? data : [document];
  const out = traces.flatMap((trace) => {
    const raw = object(trace);
    const spans = raw === null ? null : raw["spans"];
    return raw !== null && Array.isArray(spans) && spans.length > 0 ? [readTrace(raw, spans)] : [];
  });
  if (out.length === 0) throw new UploadError('no trace in this file: expected Jaeger JSON ({"data": [{"spans": …}]})');
  return out;
}

function readTrace(raw: Json, rawSpans: readonly unknown[]): UploadedTrace {
  const processes = object(raw["processes"]) ?? {};
  const found = rawSpans.flatMap((span) => {
    const one = object(span);
    return one === null ? [] : [readSpan(one, processes)];
  });
  const traceId = hex(raw["traceID"] ?? object(rawSpans[0])?.["traceID"], 32);
  const { trace, seedOf } = assemble(
    traceId,
    found.map((one) => one.seed),
  );
  const spans = Array.from(seedOf, (index, row) => ({ ...(found[index] as Found).details, row }));
  return { analysis: analyse(trace), spans };
}

interface Found {
  readonly seed: Seed;
  readonly details: SpanDetails;
}

function readSpan(raw: Json, processes: Json): Found {
  const process = object(raw["process"]) ?? object(processes[String(raw["processID"] ?? "")]) ?? {};
  const attributes = readTags(raw["tags"]);
  const text = (key: string) => {
    const tag = attributes.find((attribute) => attribute.key === key);
    return tag === undefined ? "" : String(tag.value);
  };
  const kind = KINDS.find((name) => name === text("span.kind")) ?? "internal";
  const references = list(raw["references"])
    .map(object)
    .filter((one) => one !== null);
  const parent = references.find((one) => hex(one["traceID"], 32) === hex(raw["traceID"], 32));
  const links = references.filter((one) => one !== parent).map(readLink);
  const error = text("error") === "true" || text("otel.status_code") === "ERROR";
  const startNano = micros(raw["startTime"]);
  const durationNano = Math.max(0, finite(raw["duration"])) * 1000;
  const warnings = list(raw["warnings"]).map(String);
  const events = list(raw["logs"]).flatMap((log) => readEvent(log));
  const spanId = hex(raw["spanID"], 16);
  const parentSpanId = parent === undefined ? hex(raw["parentSpanID"] ?? "", 16) : hex(parent["spanID"], 16);
  const service = String(process["serviceName"] ?? "");
  const operation = String(raw["operationName"] ?? "");
  const seed: Seed = {
    spanId,
    parentSpanId,
    service,
    operation,
    kind: kind as Kind,
    error,
    startNano,
    durationNano,
    events: events.length > 0,
    links: links.length > 0,
    warnings: warnings.length > 0,
  };
  const scope = { name: text("otel.scope.name"), version: text("otel.scope.version"), attributes: [] };
  const details: SpanDetails = {
    row: 0,
    spanId,
    parentSpanId,
    name: operation,
    service,
    kind,
    start: startNano.toString(),
    durationNano,
    status: { code: error ? "ERROR" : text("otel.status_code") || "UNSET", message: text("otel.status_description") },
    traceState: text("w3c.tracestate"),
    flags: finite(raw["flags"]),
    attributes,
    resource: [{ key: "service.name", type: "string", value: service }, ...readTags(process["tags"])],
    scope,
    events,
    links,
    dropped: { attributes: 0, events: 0, links: 0 },
    warnings,
  };
  return { seed, details };
}

function readLink(raw: Json): SpanLink {
  const attributes: Attribute[] = [
    { key: "opentracing.ref_type", type: "string", value: String(raw["refType"] ?? "") },
  ];
  return { traceId: hex(raw["traceID"], 32), spanId: hex(raw["spanID"], 16), attributes };
}

function readEvent(log: unknown): SpanEvent[] {
  const raw = object(log);
  if (raw === null) return [];
  const fields = readTags(raw["fields"]);
  const name = fields.find((field) => field.key === "event" || field.key === "message");
  return [
    {
      time: micros(raw["timestamp"]).toString(),
      name: name === undefined ? "" : String(name.value),
      attributes: fields.filter((field) => field !== name),
    },
  ];
}

const TYPES: Record<string, ValueType> = {
  string: "string",
  bool: "bool",
  int64: "int",
  float64: "double",
  binary: "bytes",
};

function readTags(value: unknown): Attribute[] {
  return list(value).flatMap((tag) => {
    const raw = object(tag);
    if (raw === null) return [];
    const type = TYPES[String(raw["type"] ?? "")] ?? "string";
    const held = raw["value"];
    const simple =
      typeof held === "boolean" || typeof held === "number"
        ? held
        : typeof held === "string"
          ? held
          : JSON.stringify(held ?? "");
    return [{ key: String(raw["key"] ?? ""), type, value: type === "int" ? String(simple) : simple }];
  });
}

function object(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function finite(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}

function micros(value: unknown): bigint {
  const number = finite(value);
  return number <= 0 ? 0n : BigInt(Math.min(Number.MAX_SAFE_INTEGER, Math.round(number))) * 1000n;
}

function hex(value: unknown, digits: number): string {
  const text = String(value ?? "").toLowerCase();
  return /^[0-9a-f]+$/.test(text) ? text.padStart(digits, "0").slice(-digits) : "";
}
