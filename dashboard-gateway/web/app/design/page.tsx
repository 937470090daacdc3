// The parts that every page has: a head with the answer's sentence and the knobs, a body, a foot line.
import type { ReactNode, Ref } from "react";
import type { Answer } from "../api/wire.ts";
import { useNow } from "../app/now.ts";
import { usePrefs } from "../app/prefs.ts";
import { dayMinute, msOfNanos } from "./clock.ts";
import { bytes, compact, count, digits } from "./format.ts";

interface HeadProps {
  title: ReactNode;
  /** The sentence that a person on call needs. */
  children?: ReactNode;
  /** Controls of this page, at the right. */
  knobs?: ReactNode;
}

export function PageHead({ title, children, knobs }: HeadProps) {
  return (
    <header className="page-head">
      <h1>{title}</h1>
      {children}
      {knobs && <div className="page-knobs">{knobs}</div>}
    </header>
  );
}

/** The scrolling part of a page. */
export function PageBody({
  children,
  ref,
  className = "",
}: {
  children: ReactNode;
  ref?: Ref<HTMLDivElement>;
  className?: string;
}) {
  return (
    <div className={`page-body ${className}`} ref={ref}>
      {children}
    </div>
  );
}

/** The last line: what the answer cost, how old it is, which keys act. */
export function Foot({ children, end }: { children?: ReactNode; end?: ReactNode }) {
  return (
    <footer className="foot">
      {children}
      <span className="spacer" />
      {end}
    </footer>
  );
}

/** "Searched 41 MB in 6 objects, 38 ms · data reaches back to 8 Nov 04:10" */
export function CostLine({ answer }: { answer: Answer | undefined }) {
  const zone = usePrefs((state) => state.zone);
  const nowMs = useNow((state) => state.nowMs);
  if (answer === undefined) return null;
  const { cost, dataFrom } = answer;
  const parts = [
    cost.spans > 0 ? `from ${compact(cost.spans)} spans` : null,
    cost.bytes > 0 ? `${bytes(cost.bytes)} in ${count(cost.objects)} objects` : null,
    `${digits(cost.ms)} ms`,
  ];
  return (
    <>
      <span>{parts.filter((part) => part !== null).join(" · ")}</span>
      {dataFrom !== "0" && (
        <span className="hide-small">data reaches back to {dayMinute(msOfNanos(dataFrom), zone, nowMs)}</span>
      )}
    </>
  );
}
