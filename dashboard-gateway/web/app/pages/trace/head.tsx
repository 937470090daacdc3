// The head of a trace: what it is, how long, how broken, how complete.
import { Link } from "../../app/link.tsx";
import { useNow } from "../../app/now.ts";
import { usePrefs } from "../../app/prefs.ts";
import { ago, clockMilli, day } from "../../design/clock.ts";
import { count, duration, plural } from "../../design/format.ts";
import { Text } from "../../design/text.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { isOrphan, mainRoot, operationOf, rootsOf, serviceOf } from "../../trace/trace.ts";
import { isUploaded } from "../../trace/upload.ts";
import type { TraceModel } from "./model.ts";

interface Props {
  analysis: Analysis;
  model: TraceModel;
  traceId: string;
  onReload: () => void;
}

export function TraceHead({ analysis, model, traceId, onReload }: Props) {
  const zone = usePrefs((state) => state.zone);
  const nowMs = useNow((state) => state.nowMs);
  const { trace } = analysis;
  const root = mainRoot(trace);
  const roots = rootsOf(trace);
  const orphans = roots.filter((row) => isOrphan(trace, row)).length;
  return (
    <div className="trace-head">
      <h1>
        <Link to="/search">Traces / </Link>
        <Text value={serviceOf(trace, root)} /> <Text value={operationOf(trace, root)} />
      </h1>
      <span className="mono faint">
        <Text value={traceId.replace(/^0{16}/, "")} />
      </span>
      <div className="trace-facts">
        <b>{duration(trace.durationNano)}</b>
        <span className="hide-small" title={day(trace.startMs, zone)}>
          {clockMilli(trace.startMs, zone)}, {ago(trace.startMs, nowMs)}
        </span>
        <span>
          <b>{count(trace.count)}</b> {trace.count === 1 ? "span" : "spans"}
        </span>
        <span>
          <b>{count(trace.services.length)}</b> {trace.services.length === 1 ? "service" : "services"}
        </span>
        {analysis.errors.length > 0 && (
          <span className="err">
            <b>{plural(analysis.errors.length, "error")}</b>
          </span>
        )}
        <span className="hide-small">
          depth <b>{count(analysis.depth)}</b>
        </span>
        {orphans > 0 && (
          <button
            type="button"
            className="panel-ref warn"
            onClick={() => model.select(roots.find((row) => isOrphan(trace, row)) ?? 0)}
          >
            {plural(orphans, "span")} without their parent
          </button>
        )}
        {isUploaded(traceId) && <span className="warn">from a file</span>}
        {orphans > 0 && !isUploaded(traceId) && (
          <button type="button" className="panel-ref" onClick={onReload}>
            look for more
          </button>
        )}
      </div>
    </div>
  );
}
