// What every JavaScript test sends, and what the SDK says it sent, in the form that tests/e2e/src/canonical.rs makes
// of an OTLP/JSON answer. Runs in Node and in a browser page.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const ATTRIBUTES = {
  text: "plain",
  "text.empty": "",
  "text.unicode": '日本語 👩‍👩‍👧 <b>&amp;</b>\n"q"',
  "bool.true": true,
  "bool.false": false,
  int: 42,
  "int.safe": Number.MAX_SAFE_INTEGER,
  double: 2.5,
  "array.text": ["a", "", "ß"],
  "array.int": [1, -2, 3],
  "array.bool": [true, false],
  "http.response.status_code": 200,
};

const nanos = ([seconds, nanoseconds]) => String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));

function value(v) {
  if (typeof v === "boolean") return ["bool", v];
  if (typeof v === "string") return ["string", v];
  if (typeof v === "number") return Number.isInteger(v) ? ["int", String(v)] : ["double", v];
  return ["array", v.map(value)];
}

const attributes = (a) => Object.fromEntries(Object.entries(a ?? {}).map(([k, v]) => [k, value(v)]));

function canonical(span) {
  const context = span.spanContext();
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? "",
    name: span.name,
    kind: span.kind + 1,
    start: nanos(span.startTime),
    end: nanos(span.endTime),
    status: [span.status.code, span.status.message ?? ""],
    attributes: attributes(span.attributes),
    events: span.events.map((e) => [e.name, nanos(e.time), attributes(e.attributes)]),
    links: span.links.map((l) => [l.context.traceId, l.context.spanId, attributes(l.attributes)]),
    resource: attributes(span.resource.attributes),
    scope: [span.instrumentationScope.name, span.instrumentationScope.version ?? ""],
  };
}

/** Sends `traces` traces through `exporter`; resolves to {failed, spans}. */
export async function send(exporter, service, traces) {
  const report = { failed: 0, errors: [], spans: [] };
  const keep = {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code === 0) report.spans.push(...spans.map(canonical));
        else {
          report.failed += spans.length;
          report.errors.push(String(result.error));
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": service, "service.version": "1.2.3" }),
    spanProcessors: [new BatchSpanProcessor(keep, { scheduledDelayMillis: 50 })],
  });
  const tracer = provider.getTracer("e2e.javascript", "0.1");
  for (let n = 0; n < traces; n += 1) {
    const root = tracer.startSpan(`click ${n}`, { kind: SpanKind.CLIENT, attributes: ATTRIBUTES, root: true });
    const context = trace.setSpan(ROOT_CONTEXT, root);
    const links = [{ context: root.spanContext(), attributes: { why: "root", n } }];
    const child = tracer.startSpan("fetch", { links }, context);
    child.addEvent("row", { count: n, cached: false });
    child.recordException(new Error(`order ${n} is gone`));
    child.setStatus({ code: SpanStatusCode.ERROR, message: `order ${n} is gone` });
    // a browser's clock is coarse, and Jaeger's API changes spans that take no time
    child.end(Date.now() + 5);
    root.setStatus({ code: SpanStatusCode.OK });
    root.end(Date.now() + 10);
  }
  await provider.shutdown();
  return report;
}
