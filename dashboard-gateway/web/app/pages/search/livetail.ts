// Live tail: one waiting request after the other; each answers as soon as something newer than its position is visible.
import { useEffect, useRef, useState } from "react";
import { searchPage } from "../../api/traces.ts";
import type { SearchAnswer, TraceSummary } from "../../api/wire.ts";
import { nanosOfMs } from "../../design/clock.ts";
import { LIMIT_MAX, type Question, queryOf } from "./question.ts";

export interface Tail {
  readonly traces: readonly TraceSummary[];
  readonly answer: SearchAnswer | undefined;
  /** Came while it was paused. */
  readonly waiting: number;
  readonly error: unknown;
}

const NONE: Tail = { traces: [], answer: undefined, waiting: 0, error: null };
const RETRY_MS = 2000;
/** A store that is written to all the time has something newer at once: no more than this many pictures a second are read. */
const PACE_MS = 500;
/** Spans of clients whose clocks are ahead are seen, too. */
const AHEAD_MS = 3600e3;

/** Newer ones on top; a trace that was there is replaced, because it may have grown. */
export function merged(held: readonly TraceSummary[], came: readonly TraceSummary[], max: number): TraceSummary[] {
  const ids = new Set(came.map((trace) => trace.traceId));
  return [...came, ...held.filter((trace) => !ids.has(trace.traceId))]
    .sort((a, b) => (BigInt(b.start) > BigInt(a.start) ? 1 : BigInt(b.start) < BigInt(a.start) ? -1 : 0))
    .slice(0, max);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function useLiveTail(question: Question, startMs: number, on: boolean, paused: boolean): Tail {
  const [tail, setTail] = useState<Tail>(NONE);
  const held = useRef({ paused, kept: [] as TraceSummary[] });
  held.current.paused = paused;
  useEffect(() => {
    if (paused) return;
    const { kept } = held.current;
    held.current.kept = [];
    if (kept.length > 0) setTail((old) => ({ ...old, traces: merged(old.traces, kept, LIMIT_MAX), waiting: 0 }));
  }, [paused]);
  const key = JSON.stringify(question);
  useEffect(() => {
    if (!on) return;
    const asked = { ...(JSON.parse(key) as Question), order: "newest" as const };
    const stop = new AbortController();
    setTail(NONE);
    held.current.kept = [];
    const take = (answer: SearchAnswer) => {
      if (held.current.paused) {
        held.current.kept = merged(held.current.kept, answer.traces, LIMIT_MAX);
        const waiting = held.current.kept.length;
        setTail((old) => ({ ...old, answer, waiting, error: null }));
      } else {
        setTail((old) => ({ traces: merged(old.traces, answer.traces, LIMIT_MAX), answer, waiting: 0, error: null }));
      }
    };
    const follow = async () => {
      let position: string | undefined;
      while (!stop.signal.aborted) {
        try {
          const query = { ...queryOf(asked, { startMs, endMs: Date.now() + AHEAD_MS }), waitPosition: position };
          const answer = await searchPage({ ...query, end: nanosOfMs(Date.now() + AHEAD_MS) }, stop.signal);
          position = answer.position;
          take(answer);
          await pause(PACE_MS);
        } catch (error) {
          if (stop.signal.aborted) return;
          setTail((old) => ({ ...old, error }));
          await pause(RETRY_MS);
        }
      }
    };
    void follow();
    return () => stop.abort();
  }, [on, key, startMs]);
  return tail;
}
