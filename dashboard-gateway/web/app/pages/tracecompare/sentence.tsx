// The answer first: by how much B differs, and the causes, which add up to exactly that.
import { duration } from "../../design/format.ts";
import { Text } from "../../design/text.tsx";
import type { Term } from "../../trace/diff.ts";

interface Props {
  terms: readonly Term[];
  durationA: number;
  durationB: number;
  onPick: (term: Term) => void;
}

export function Sentence({ terms, durationA, durationB, onPick }: Props) {
  const change = durationB - durationA;
  return (
    <div className="compare-say" role="status">
      <div>
        <b className={toneOf(change)}>{headline(change)}</b>
        <div className="soft">Time on the critical path, by cause</div>
      </div>
      {terms.map((term) => (
        <div key={`${term.service} ${term.operation}`}>
          {term.node === null ? (
            <span>
              <b className={toneOf(term.change)}>{signed(term.change)}</b> {term.operation}
            </span>
          ) : (
            <button type="button" className="compare-term" onClick={() => onPick(term)}>
              <b className={toneOf(term.change)}>{signed(term.change)}</b> <Text value={term.operation} />
            </button>
          )}
          <div className="soft">{noteOf(term)}</div>
        </div>
      ))}
    </div>
  );
}

function headline(change: number): string {
  if (Math.abs(change) < 1000) return "Both take the same time.";
  return `B is ${duration(Math.abs(change))} ${change > 0 ? "slower" : "faster"}.`;
}

function noteOf(term: Term) {
  if (term.largest !== null) return `none above ${duration(term.largest)}`;
  if (term.service === "") return term.note;
  return (
    <>
      <Text value={term.service} />
      {term.note === "" ? "" : `: ${term.note}`}
    </>
  );
}

function toneOf(change: number): string {
  return change > 0 ? "warn" : change < 0 ? "better" : "";
}

/** `+1.04 s`, `−4.00 ms`, `0`. */
export function signed(change: number): string {
  if (change === 0) return "0";
  return `${change > 0 ? "+" : "−"}${duration(Math.abs(change))}`;
}
