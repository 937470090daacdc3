// Spans as OTLP/JSON, sent in batches; the last answer's position says from when on everything is visible.

export type Value = string | number | boolean | readonly string[] | { readonly [key: string]: string };

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly service: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly error?: { readonly type: string; readonly message: string };
  readonly attributes?: Readonly<Record<string, Value>>;
  readonly resource?: Readonly<Record<string, Value>>;
}

function wire(value: Value): unknown {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((one: string) => ({ stringValue: one })) } };
  const values = Object.entries(value).map(([key, one]) => ({ key, value: { stringValue: one } }));
  return { kvlistValue: { values } };
}

const attributes = (held: Readonly<Record<string, Value>> = {}) =>
  Object.entries(held).map(([key, value]) => ({ key, value: wire(value) }));

const nanos = (ms: number) => (BigInt(Math.floor(ms)) * 1_000_000n + BigInt(Math.round((ms % 1) * 1e6))).toString();

function spanJson(span: Span): unknown {
  const { error } = span;
  const endMs = span.startMs + span.durationMs;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(endMs),
    attributes: attributes(span.attributes),
    status: error === undefined ? {} : { code: 2, message: error.message },
    events:
      error === undefined
        ? []
        : [
            {
              name: "exception",
              timeUnixNano: nanos(endMs - Math.min(0.1, span.durationMs / 2)),
              attributes: attributes({ "exception.type": error.type, "exception.message": error.message }),
            },
          ],
  };
}

/** Sends spans and waits until they can be searched. */
export async function send(otlp: string, query: string, spans: readonly Span[], batch = 2000): Promise<void> {
  const positions = new Set<string>();
  for (let at = 0; at < spans.length; at += batch) {
    const groups = new Map<string, Span[]>();
    for (const span of spans.slice(at, at + batch)) {
      const key = JSON.stringify([span.service, span.resource ?? {}]);
      const held = groups.get(key);
      if (held) held.push(span);
      else groups.set(key, [span]);
    }
    const resourceSpans = [...groups.values()].map((group) => ({
      resource: { attributes: attributes({ "service.name": group[0]?.service ?? "", ...group[0]?.resource }) },
      scopeSpans: [{ scope: { name: "browser-tests", version: "1" }, spans: group.map(spanJson) }],
    }));
    const response = await fetch(`${otlp}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans }),
    });
    if (!response.ok) throw new Error(`OTLP answers ${response.status}: ${await response.text()}`);
    const position = response.headers.get("x-yc-position");
    if (position) positions.add(position);
  }
  // a read that must include all positions returns only when everything is there
  const headers = new Headers();
  for (const position of positions) headers.append("x-yc-position", position);
  const seen = await fetch(`${query}/api/services`, { headers });
  if (!seen.ok) throw new Error(`the spans did not become visible: ${seen.status} ${await seen.text()}`);
}
