"""Sends spans with the real Python SDK and prints, as JSON, what the SDK says it sent.

    send.py grpc|http ENDPOINT TRACES

The form of the printed spans is the one that tests/e2e/src/canonical.rs makes of an OTLP/JSON answer.
"""

import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

ATTRIBUTES = {
    "text": "plain",
    "text.empty": "",
    "text.unicode": "日本語 👩‍👩‍👧 <b>&amp;</b>\n\"q\"",
    "bool.true": True,
    "bool.false": False,
    "int": 42,
    "int.max": 2**63 - 1,
    "int.min": -(2**63),
    "double": 2.5,
    "double.tiny": 5e-324,
    "double.whole": 100.0,
    "array.text": ["a", "", "ß"],
    "array.int": [1, -2, 2**53 + 1],
    "array.double": [0.5, 2.0],
    "array.bool": [True, False],
    "http.response.status_code": 200,
}


class Keep(SpanExporter):
    """Remembers every span that the real exporter got and whether the export succeeded."""

    def __init__(self, inner):
        self.inner, self.spans, self.failed = inner, [], 0

    def export(self, spans):
        result = self.inner.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.spans.extend(spans)
        else:
            self.failed += len(spans)
        return result

    def shutdown(self):
        self.inner.shutdown()


def exporter(protocol, endpoint):
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, insecure=True)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", compression=Compression.Gzip)


def value(v):
    if isinstance(v, bool):
        return ["bool", v]
    if isinstance(v, int):
        return ["int", str(v)]
    if isinstance(v, float):
        return ["double", v]
    if isinstance(v, str):
        return ["string", v]
    return ["array", [value(x) for x in v]]


def attributes(a):
    return {k: value(v) for k, v in (a or {}).items()}


def canonical(s):
    return {
        "traceId": f"{s.context.trace_id:032x}",
        "spanId": f"{s.context.span_id:016x}",
        "parentSpanId": f"{s.parent.span_id:016x}" if s.parent else "",
        "name": s.name,
        "kind": s.kind.value + 1,
        "start": str(s.start_time),
        "end": str(s.end_time),
        "status": [s.status.status_code.value, s.status.description or ""],
        "attributes": attributes(s.attributes),
        "events": [[e.name, str(e.timestamp), attributes(e.attributes)] for e in s.events],
        "links": [
            [f"{x.context.trace_id:032x}", f"{x.context.span_id:016x}", attributes(x.attributes)] for x in s.links
        ],
        "resource": attributes(s.resource.attributes),
        "scope": [s.instrumentation_scope.name, s.instrumentation_scope.version or ""],
    }


def main():
    protocol, endpoint, traces = sys.argv[1], sys.argv[2], int(sys.argv[3])
    keep = Keep(exporter(protocol, endpoint))
    provider = TracerProvider(
        resource=Resource.create({"service.name": "yc-backend-api", "service.version": "1.2.3", "host.name": "h1"})
    )
    provider.add_span_processor(BatchSpanProcessor(keep, schedule_delay_millis=50))
    tracer = provider.get_tracer("e2e.python", "0.1")
    for n in range(traces):
        with tracer.start_as_current_span(f"GET /orders/{n}", kind=SpanKind.SERVER, attributes=ATTRIBUTES) as root:
            link = Link(root.get_span_context(), {"why": "root", "n": n})
            with tracer.start_as_current_span("SELECT orders", kind=SpanKind.CLIENT, links=[link]) as child:
                child.set_attribute("db.system.name", "postgresql")
                child.add_event("row", {"count": n, "cached": False})
                try:
                    raise ValueError(f"order {n} is gone")
                except ValueError as error:
                    child.record_exception(error)
                    child.set_status(Status(StatusCode.ERROR, str(error)))
            with tracer.start_as_current_span("render"):
                pass
            root.set_status(Status(StatusCode.OK))
    provider.shutdown()
    json.dump({"failed": keep.failed, "spans": [canonical(s) for s in keep.spans]}, sys.stdout)


main()
