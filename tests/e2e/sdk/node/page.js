// Runs in the browser page that browser.js serves.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { send } from "./scenario.js";

globalThis.sendSpans = (endpoint, traces) =>
  send(new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }), "yc-web", traces);
