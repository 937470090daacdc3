// The trace page: loads one trace (from the server or from an uploaded file) and hands it to the view.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "../../api/client.ts";
import { traceQuery, transformOtlp } from "../../api/trace.ts";
import { Link } from "../../app/link.tsx";
import { PageHead } from "../../design/page.tsx";
import { ServiceView } from "../../design/service.tsx";
import { Busy, Empty, Notice, Problem } from "../../design/states.tsx";
import { Text } from "../../design/text.tsx";
import { takeFiles, type UploadReport } from "../../trace/upload.ts";
import { useTraceState } from "./state.ts";
import { TraceView } from "./view.tsx";
import "./trace.css";

export function TracePage({ traceId }: { traceId: string }) {
  const [state, change] = useTraceState();
  const query = useQueryClient();
  const trace = useQuery(traceQuery(traceId, state.raw));
  const cancel = () => void query.cancelQueries({ queryKey: ["trace", traceId] });
  return (
    <DropZone>
      {trace.data === undefined && (
        <PageHead
          title={
            <>
              Trace{" "}
              <span className="mono faint">
                <Text value={traceId} />
              </span>
            </>
          }
        />
      )}
      <Busy busy={trace.isFetching} words="reading the trace" onCancel={cancel} />
      {trace.isError && <Missing traceId={traceId} error={trace.error} retry={() => void trace.refetch()} />}
      {trace.data !== undefined && trace.data.trace.count === 0 && (
        <Missing traceId={traceId} error={null} retry={() => void trace.refetch()} />
      )}
      {trace.data !== undefined && trace.data.trace.count > 0 && (
        <ServiceView names={trace.data.trace.services}>
          <TraceView
            key={`${trace.data.trace.version} ${state.raw}`}
            analysis={trace.data}
            traceId={traceId}
            state={state}
            change={change}
            onReload={() => void trace.refetch()}
          />
        </ServiceView>
      )}
    </DropZone>
  );
}

function Missing({ traceId, error, retry }: { traceId: string; error: unknown; retry: () => void }) {
  const gone = error === null || (error instanceof ApiError && error.status === 404);
  if (!gone) return <Problem what="This trace" error={error} onRetry={retry} />;
  return (
    <Empty title="There is no trace with this id.">
      <p>
        <code>
          <Text value={traceId} />
        </code>{" "}
        was not found in any partition. It may be older than the retention, not sent yet, or have been opened from a
        file before the page was loaded anew.
      </p>
      <p>
        <button type="button" className="button" onClick={retry}>
          Look again
        </button>{" "}
        <Link to="/search">Search traces</Link>
      </p>
    </Empty>
  );
}

/** Files dropped anywhere on the page are opened as traces; the first one is shown. */
export function DropZone({ children }: { children: ReactNode }) {
  const [over, setOver] = useState(false);
  const [report, setReport] = useState<UploadReport | null>(null);
  const open = useOpenFiles(setReport);
  useEffect(() => {
    const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const onOver = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(false);
      void open(event.dataTransfer?.files ?? []);
    };
    document.addEventListener("dragover", onOver);
    document.addEventListener("dragleave", onLeave);
    document.addEventListener("drop", onDrop);
    return () => {
      document.removeEventListener("dragover", onOver);
      document.removeEventListener("dragleave", onLeave);
      document.removeEventListener("drop", onDrop);
    };
  }, [open]);
  return (
    <>
      {over && <div className="trace-drop">Open traces: Jaeger JSON or OTLP JSON</div>}
      {report !== null && report.failures.length > 0 && (
        <Notice>
          {report.failures.map((failure) => (
            <div key={failure.file}>
              <b>
                <Text value={failure.file} />
              </b>{" "}
              could not be opened: <Text value={failure.reason} />
            </div>
          ))}
        </Notice>
      )}
      {children}
    </>
  );
}

/** Opens files as traces and goes to the first of them. */
export function useOpenFiles(onReport: (report: UploadReport) => void): (files: Iterable<File>) => Promise<void> {
  const navigate = useNavigate();
  const query = useQueryClient();
  const [open] = useState(() => async (files: Iterable<File>) => {
    const report = await takeFiles(files, transformOtlp);
    onReport(report);
    for (const id of report.traceIds) query.removeQueries({ queryKey: ["trace", id] });
    const first = report.traceIds[0];
    if (first !== undefined) void navigate({ to: `/trace/${first}` as never });
  });
  return open;
}
