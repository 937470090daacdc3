// What every view of a trace beside the timeline is given.
import type { TraceKey } from "../../api/trace.ts";
import type { Analysis } from "../../trace/analysis.ts";
import type { TraceModel } from "./model.ts";

export interface TabProps {
  readonly analysis: Analysis;
  readonly traceKey: TraceKey;
  readonly model: TraceModel;
  readonly onSelect: (row: number, focus?: boolean) => void;
}
