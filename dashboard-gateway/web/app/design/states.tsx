// What stands where data is not (yet): a line while loading, words when there is nothing, a part that failed, a partial answer.
import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "../api/client.ts";
import type { Missing } from "../api/wire.ts";
import { Button } from "./controls.tsx";
import { Text } from "./text.tsx";

interface BusyProps {
  /** A question is under way. */
  busy: boolean;
  /** Said after two seconds, such as "searching the last 24 h". */
  words: string;
  onCancel?: (() => void) | undefined;
}

/** Under a head: nothing for 150 ms, then a thin line, after 2 s words and Cancel. It takes no room of its own. */
export function Busy({ busy, words, onCancel }: BusyProps) {
  const [stage, setStage] = useState<0 | 1 | 2>(0);
  useEffect(() => {
    if (!busy) {
      setStage(0);
      return;
    }
    const line = setTimeout(() => setStage(1), 150);
    const said = setTimeout(() => setStage(2), 2000);
    return () => {
      clearTimeout(line);
      clearTimeout(said);
    };
  }, [busy]);
  return (
    <div className="busy" role="status">
      {stage > 0 && <div className="busy-line" />}
      {stage > 1 && (
        <div className="busy-words">
          {words} …{onCancel && <Button onClick={onCancel}>Cancel</Button>}
        </div>
      )}
    </div>
  );
}

interface ProblemProps {
  /** What could not be had: "The services", "This trace". */
  what: string;
  error: unknown;
  onRetry?: (() => void) | undefined;
}

/** In the place of the part that failed, with status, request id and Retry. The rest of the page lives. */
export function Problem({ what, error, onRetry }: ProblemProps) {
  const api = error instanceof ApiError ? error : null;
  return (
    <div className="problem" role="alert">
      <p>
        <b>{what} could not be loaded.</b> <Text value={error instanceof Error ? error.message : String(error)} />
      </p>
      <p className="problem-facts">
        {api && api.status > 0 && <span>status {api.status}</span>}
        {api?.requestId && (
          <span>
            request <code>{api.requestId}</code>
          </span>
        )}
        {onRetry && <Button onClick={onRetry}>Retry</Button>}
      </p>
    </div>
  );
}

/** Says why there is nothing and what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Notice({ children, tone = "warn" }: { children: ReactNode; tone?: "warn" | "plain" }) {
  return <div className={`notice notice-${tone}`}>{children}</div>;
}

/** An answer that lacks something says so above the result; counts below are lower bounds. */
export function Partial({ missing }: { missing: readonly Missing[] }) {
  if (missing.length === 0) return null;
  return (
    <Notice>
      <b>Not everything answered; counts are lower bounds.</b>{" "}
      {missing.slice(0, 3).map((one) => (
        <span key={one.partition} className="partial-one">
          <Text value={one.partition} />: <Text value={one.reason} />
        </span>
      ))}
      {missing.length > 3 && ` and ${missing.length - 3} more`}
    </Notice>
  );
}
