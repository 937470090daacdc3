// send.js grpc|proto|json ENDPOINT TRACES: sends with the real JavaScript SDK from Node, prints what it sent.
import { OTLPTraceExporter as Grpc } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as Json } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Proto } from "@opentelemetry/exporter-trace-otlp-proto";
import { send } from "./scenario.js";

const [protocol, endpoint, traces] = process.argv.slice(2);
const exporters = {
  grpc: () => new Grpc({ url: endpoint }),
  proto: () => new Proto({ url: `${endpoint}/v1/traces` }),
  json: () => new Json({ url: `${endpoint}/v1/traces` }),
};
process.stdout.write(JSON.stringify(await send(exporters[protocol](), "yc-node", Number(traces))));
