import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { statusQuery } from "../../api/traces.ts";
import type { Overview } from "../../api/wire.ts";
import { useSetParams } from "../../app/location.ts";
import { useNow } from "../../app/now.ts";
import { intake } from "../../app/ports.ts";
import { usePrefs } from "../../app/prefs.ts";
import { rangeParams } from "../../app/timecontrol.tsx";
import { ago, dayMinute, fromTo, msOfNanos } from "../../design/clock.ts";
import { Button } from "../../design/controls.tsx";
import { Copy } from "../../design/copy.tsx";
import { count } from "../../design/format.ts";
import { Empty } from "../../design/states.tsx";

/** Before the first span: where to send data, one command to try it, and a count that moves when it works. */
export function FirstStart() {
  const status = useQuery({ ...statusQuery, refetchInterval: 1000, staleTime: 0 });
  const queries = useQueryClient();
  const refresh = useNow((state) => state.refresh);
  const spans = status.data?.spans ?? 0;
  useEffect(() => {
    if (spans === 0) return;
    refresh();
    void queries.invalidateQueries({ queryKey: ["overview"] });
  }, [spans, refresh, queries]);
  const { http, grpc } = intake();
  const command = useMemo(() => tryCommand(http), [http]);
  return (
    <Empty title="Nothing has been sent here yet.">
      <p>
        Point any OpenTelemetry SDK or Collector at <code>{http}</code> (HTTP) or <code>{grpc}</code> (gRPC). Nothing
        else has to be configured: services appear here by themselves.
      </p>
      <Command text={`export OTEL_EXPORTER_OTLP_ENDPOINT=${http}`} what="setting" />
      <p>No program at hand? This sends one trace:</p>
      <Command text={command} what="command" />
      <p className="first-count" role="status">
        <b>{count(spans)}</b> spans have come
        {status.isError && <span className="err"> (the store cannot be asked: {status.error.message})</span>}
      </p>
    </Empty>
  );
}

function Command({ text, what }: { text: string; what: string }) {
  return (
    <div className="first-command">
      <pre>{text}</pre>
      <Copy value={text} what={what} />
    </div>
  );
}

/** One trace of two spans in OTLP JSON; the shell fills in ids and times. */
function tryCommand(http: string): string {
  const attribute = (key: string, value: string) => `{"key":"${key}","value":{"stringValue":"${value}"}}`;
  const spans = [
    `{"traceId":"'$T'","spanId":"00000000000000a1","name":"GET /hello","kind":2,"startTimeUnixNano":"'$N'000000000","endTimeUnixNano":"'$N'250000000"}`,
    `{"traceId":"'$T'","spanId":"00000000000000a2","parentSpanId":"00000000000000a1","name":"SELECT greeting","kind":3,"startTimeUnixNano":"'$N'050000000","endTimeUnixNano":"'$N'200000000","attributes":[${attribute("db.system.name", "postgresql")}]}`,
  ];
  const body = `{"resourceSpans":[{"resource":{"attributes":[${attribute("service.name", "hello")}]},"scopeSpans":[{"spans":[${spans.join(",")}]}]}]}`;
  return `T=$(openssl rand -hex 16) N=$(date +%s)\ncurl ${http}/v1/traces -H 'content-type: application/json' -d '${body}'`;
}

/** Data is there, but none in this range: says how far away it is and goes there. */
export function NoCalls({ answer }: { answer: Overview }) {
  const status = useQuery(statusQuery);
  const zone = usePrefs((state) => state.zone);
  const setParams = useSetParams();
  const nowMs = useNow((state) => state.nowMs);
  const [start, end] = [msOfNanos(answer.start), msOfNanos(answer.end)];
  const newest = status.data ? msOfNanos(status.data.newest) : 0;
  return (
    <Empty title={`No calls in ${fromTo(start, end, zone)}.`}>
      <p>
        Data reaches back to {dayMinute(msOfNanos(answer.dataFrom), zone, nowMs)}
        {newest > 0 && `; the newest span is of ${dayMinute(newest, zone, nowMs)}, ${ago(newest, nowMs)}`}.
      </p>
      <p className="empty-steps">
        {newest > 0 && (newest < start || newest > end) && (
          <Button
            onClick={() =>
              setParams(rangeParams(String(Math.round(newest - 3000e3)), String(Math.round(newest + 600e3))))
            }
          >
            Show the hour around it
          </Button>
        )}
        <Button onClick={() => setParams(rangeParams("now-24h", "now"))}>Last 24 h</Button>
        <Button onClick={() => setParams(rangeParams("now-7d", "now"))}>Last 7 days</Button>
      </p>
    </Empty>
  );
}
