// Why a search found nothing: what was searched, how far data reaches, and which single condition stands in the way.
import { useQueries, useQuery } from "@tanstack/react-query";
import { searchPage, statusQuery } from "../../api/traces.ts";
import type { SearchAnswer } from "../../api/wire.ts";
import { useSetParams } from "../../app/location.ts";
import { useNow } from "../../app/now.ts";
import { usePrefs } from "../../app/prefs.ts";
import type { Range } from "../../app/range.ts";
import { rangeParams } from "../../app/timecontrol.tsx";
import { dayMinute, fromTo, msOfNanos, span } from "../../design/clock.ts";
import { Button } from "../../design/controls.tsx";
import { bytes } from "../../design/format.ts";
import { visible } from "../../design/hostile.ts";
import { Empty } from "../../design/states.tsx";
import { FirstStart } from "../home/empty.tsx";
import { paramsOf, type Question, queryOf, withoutTag } from "./question.ts";

interface Way {
  readonly words: string;
  readonly question: Question;
  readonly range: Range;
  readonly params: Record<string, string | undefined>;
}

const PROBES_MAX = 6;

/** The question with one condition less, each: the first ones that find something are offered. */
export function ways(question: Question, range: Range, dataFromMs: number, nowMs: number): Way[] {
  const out: Way[] = [];
  const less = (words: string, changed: Question) =>
    out.push({ words, question: changed, range, params: paramsOf(changed) });
  for (const { key, value } of question.tags)
    less(`without ${visible(key)}=${visible(value)}`, withoutTag(question, key));
  if (question.operation !== "")
    less(`in any operation of ${visible(question.service) || "all services"}`, { ...question, operation: "" });
  const { minDuration, maxDuration, minTraceDuration, maxTraceDuration } = question;
  if (minDuration + maxDuration + minTraceDuration + maxTraceDuration !== "") {
    const free = { minDuration: "", maxDuration: "", minTraceDuration: "", maxTraceDuration: "" };
    less("of any duration", { ...question, ...free });
  }
  if (question.service !== "") less("in all services", { ...question, service: "", operation: "" });
  if (dataFromMs > 0 && (dataFromMs < range.startMs || range.endMs < nowMs - 60_000)) {
    const whole = { startMs: Math.min(dataFromMs, range.startMs), endMs: nowMs };
    out.push({
      words: `in all data, ${span(nowMs - whole.startMs)} back`,
      question,
      range: whole,
      params: rangeParams(Math.floor(whole.startMs).toString(), "now"),
    });
  }
  return out.slice(-PROBES_MAX);
}

interface NoResultProps {
  question: Question;
  range: Range;
  answer: SearchAnswer;
}

export function NoResult({ question, range, answer }: NoResultProps) {
  const zone = usePrefs((state) => state.zone);
  const nowMs = useNow((state) => state.nowMs);
  const setParams = useSetParams();
  const status = useQuery(statusQuery);
  const dataFromMs = msOfNanos(answer.dataFrom);
  const tried = ways(question, range, dataFromMs, nowMs);
  const probes = useQueries({
    queries: tried.map((way) => {
      const query = { ...queryOf(way.question, way.range), limit: 1 };
      return {
        queryKey: ["probe", query],
        queryFn: ({ signal }: { signal: AbortSignal }) => searchPage(query, signal),
        enabled: dataFromMs > 0,
      };
    }),
  });
  if (dataFromMs === 0) return <FirstStart />;
  const found = tried.filter((_, index) => (probes[index]?.data?.traces.length ?? 0) > 0);
  const newest = status.data ? msOfNanos(status.data.newest) : 0;
  const searching = probes.some((probe) => probe.isFetching);
  return (
    <Empty title={`No traces in ${fromTo(range.startMs, range.endMs, zone)}.`}>
      <p>
        Searched {bytes(answer.cost.bytes)}; data reaches back to {dayMinute(dataFromMs, zone, nowMs)}
        {newest > 0 && `, the newest span is of ${dayMinute(newest, zone, nowMs)}`}.
      </p>
      {found.length > 0 && (
        <>
          <p>There are traces</p>
          <ul className="ways">
            {found.map((way) => (
              <li key={way.words}>
                <Button onClick={() => setParams({ ...way.params, page: undefined, n: undefined, box: undefined })}>
                  {way.words}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
      {found.length === 0 && !searching && tried.length > 0 && (
        <p>Leaving out one condition, or searching all data, does not find any either.</p>
      )}
    </Empty>
  );
}
