import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { searchPage } from "../../api/traces.ts";
import type { SearchAnswer, TraceSummary } from "../../api/wire.ts";
import { useEscape, useKeys } from "../../app/keys.ts";
import { one, useCarried, useParams, useSetParams, useTime } from "../../app/location.ts";
import { useSmall } from "../../app/media.ts";
import { usePrefs } from "../../app/prefs.ts";
import { inBox } from "../../canvas/scatter.ts";
import { Button, Kbd } from "../../design/controls.tsx";
import { count } from "../../design/format.ts";
import { CostLine, Foot, PageBody } from "../../design/page.tsx";
import { Busy, Partial, Problem } from "../../design/states.tsx";
import { boxOf, boxText } from "./box.ts";
import { SearchForm } from "./form.tsx";
import { useLiveTail } from "./livetail.ts";
import { NoResult } from "./noresult.tsx";
import { QueryBar } from "./querybar.tsx";
import { write } from "./querytext.ts";
import { paramsOf, type Question, queryOf, questionOf } from "./question.ts";
import { Results } from "./results.tsx";
import { keptSearch, SaveButton, useSearches } from "./saved.tsx";
import { pointOf, ScatterPlot } from "./scatterplot.tsx";
import { ShareButton, Summary } from "./summary.tsx";
import "./search.css";

/** Search: form and query text are one state, the plot filters, the table opens. */
export function SearchPage() {
  const params = useParams();
  const setParams = useSetParams();
  const { range } = useTime();
  const asked = useMemo(() => questionOf(params), [params]);
  const [draft, setDraft] = useDraft(asked);
  const [folded, fold] = useFolded();
  const live = one(params, "live") === "1";
  const page = one(params, "page");
  const bar = useRef<HTMLDivElement>(null);
  const query = { ...queryOf(asked, range), page };
  const found = useQuery({
    queryKey: ["search", query],
    queryFn: ({ signal }) => searchPage(query, signal),
    placeholderData: keepPreviousData,
    enabled: !live,
  });
  const [paused, setPaused] = useState(false);
  const tail = useLiveTail(asked, range.startMs, live, paused);
  useRemember(found.data);

  const run = (question: Question = draft) => {
    setDraft(question);
    const change = { ...paramsOf(question), page: undefined, n: undefined, box: undefined };
    if (write(question) === write(asked) && page === undefined) void found.refetch();
    setParams(change);
  };
  const toggleLive = () => {
    setPaused(false);
    setParams({ live: live ? undefined : "1", page: undefined, n: undefined, box: undefined });
  };
  useKeys("Search", [
    { keys: "Ctrl+Enter", does: "run the search", run: () => run(), inFields: true },
    { keys: "/", does: "edit the query", run: () => bar.current?.querySelector("input")?.focus() },
    { keys: "l", does: "live tail on and off", run: toggleLive },
    { keys: "f", does: "fold the form", run: () => fold(!folded) },
  ]);

  const answer = live ? tail.answer : found.data;
  const traces = live ? tail.traces : (found.data?.traces ?? NO_TRACES);
  const error = live ? tail.error : found.error;
  return (
    <div className={`search ${folded ? "search-folded" : ""}`}>
      {!folded && (
        <aside className="search-side">
          <SearchForm draft={draft} onChange={setDraft} onRun={run} live={live} onLive={toggleLive} />
        </aside>
      )}
      <div className="search-main">
        <div className="search-head">
          <Button look="quiet" aria-expanded={!folded} title="Show or fold the form (f)" onClick={() => fold(!folded)}>
            Form
          </Button>
          <QueryBar draft={draft} onChange={setDraft} onRun={run} ref={bar} />
          <SaveButton />
          <ShareButton />
        </div>
        <Busy busy={!live && found.isFetching} words="Searching" onCancel={() => window.history.back()} />
        <Found
          asked={asked}
          traces={traces}
          answer={answer}
          error={error}
          onRetry={() => void found.refetch()}
          live={live ? { paused, waiting: tail.waiting, toggle: () => setPaused(!paused) } : null}
        />
      </div>
    </div>
  );
}

const NO_TRACES: readonly TraceSummary[] = [];

/** What form and text edit; follows the URL when that changes (back, a link, a saved search). */
function useDraft(asked: Question): [Question, (question: Question) => void] {
  const [draft, setDraft] = useState(asked);
  const key = JSON.stringify(asked);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says when the question itself differs
  useEffect(() => setDraft(asked), [key]);
  return [draft, setDraft];
}

/** On a phone the form is folded until asked for; elsewhere as it was left. */
function useFolded(): [boolean, (folded: boolean) => void] {
  const small = useSmall();
  const kept = usePrefs((state) => state.formFolded);
  const set = usePrefs((state) => state.set);
  const [open, setOpen] = useState(false);
  return small ? [!open, (folded) => setOpen(!folded)] : [kept, (formFolded) => set({ formFolded })];
}

/** A search that found something is kept among the recent ones. */
function useRemember(answer: SearchAnswer | undefined): void {
  const ran = useSearches((state) => state.ran);
  const params = useParams();
  const name = write(questionOf(params));
  const search = keptSearch(params);
  useEffect(() => {
    if (answer !== undefined && answer.traces.length > 0 && name !== "") ran({ name, search });
  }, [answer, name, search, ran]);
}

interface FoundProps {
  asked: Question;
  traces: readonly TraceSummary[];
  answer: SearchAnswer | undefined;
  error: unknown;
  onRetry: () => void;
  live: { paused: boolean; waiting: number; toggle: () => void } | null;
}

function Found({ asked, traces, answer, error, onRetry, live }: FoundProps) {
  const params = useParams();
  const setParams = useSetParams();
  const navigate = useNavigate();
  const held = useCarried();
  const { range } = useTime();
  const scroll = useRef<HTMLDivElement>(null);
  const [marked, setMarked] = useState<string | null>(null);
  const [hovered, setHovered] = useState<string | null>(null);
  const { picked, pick, clear } = usePicked();
  const box = boxOf(one(params, "box"));
  const view = one(params, "view") === "list" ? "list" : "table";
  const boxKey = one(params, "box");
  const shown = useMemo(() => {
    const limits = boxOf(boxKey);
    return limits === null ? traces : traces.filter((trace) => inBox(pointOf(trace), limits));
  }, [traces, boxKey]);
  const pageNumber = Number(one(params, "n") ?? 1) || 1;
  const next = live === null ? (answer?.next ?? null) : null;
  const compare = () => {
    const [a, b] = picked;
    if (a !== undefined && b !== undefined) void navigate({ to: `/trace/${a}...${b}` as never, search: held as never });
  };
  useKeys("Search", picked.length === 2 ? [{ keys: "c", does: "compare the two selected traces", run: compare }] : []);
  useEscape(box !== null, () => setParams({ box: undefined }));
  if (error) {
    return (
      <PageBody>
        <Problem what="The traces" error={error} onRetry={onRetry} />
      </PageBody>
    );
  }
  const turn = (page: string) => {
    setParams({ page, n: String(pageNumber + 1), box: undefined });
    scroll.current?.scrollTo({ top: 0 });
  };
  return (
    <>
      <PageBody ref={scroll} className="search-body">
        {traces.length === 0 && <h1 className="visually-hidden">Traces</h1>}
        {answer && <Partial missing={answer.partial} />}
        {answer && traces.length === 0 && live === null && <NoResult question={asked} range={range} answer={answer} />}
        {(traces.length > 0 || live !== null) && (
          <>
            <Summary
              traces={traces}
              shown={shown}
              more={next !== null}
              lowerBound={(answer?.partial.length ?? 0) > 0}
              view={view}
              box={box}
              picked={picked}
              onCompare={compare}
              onClearPicked={clear}
              live={live}
            />
            <ScatterPlot
              traces={traces}
              range={live === null ? range : { ...range, endMs: Math.max(range.endMs, Date.now()) }}
              box={box}
              marked={marked}
              onHover={setHovered}
              onOpen={(id, newTab) => {
                if (newTab)
                  window.open(window.location.pathname.replace(/search$/, `trace/${id}`), "_blank", "noopener");
                else void navigate({ to: `/trace/${id}` as never, search: held as never });
              }}
              onBox={(drawn) => setParams({ box: drawn === null ? undefined : boxText(drawn) })}
            />
            <Results
              traces={shown}
              view={view}
              order={asked.order}
              onOrder={(order) =>
                setParams({ order: order === "newest" ? undefined : order, page: undefined, n: undefined })
              }
              picked={picked}
              onPick={pick}
              onHover={setMarked}
              scroll={scroll}
            />
            {hovered !== null && <span className="visually-hidden">pointing at trace {hovered.slice(0, 7)}</span>}
            {(next !== null || pageNumber > 1) && (
              <nav className="pages" aria-label="Pages of the result">
                {pageNumber > 1 && (
                  <Button onClick={() => setParams({ page: undefined, n: undefined })}>First page</Button>
                )}
                {pageNumber > 1 && <Button onClick={() => window.history.back()}>Page before</Button>}
                {next !== null && <Button onClick={() => turn(next)}>Next {count(asked.limit)}</Button>}
                <span className="faint">page {pageNumber}</span>
              </nav>
            )}
          </>
        )}
      </PageBody>
      <SearchFoot answer={answer} />
    </>
  );
}

function SearchFoot({ answer }: { answer: SearchAnswer | undefined }) {
  return (
    <Foot
      end={
        <span className="hide-medium">
          <Kbd keys="j k" /> move · <Kbd keys="Enter" /> open · <Kbd keys="x" /> select · <Kbd keys="?" /> all keys
        </span>
      }
    >
      <CostLine answer={answer} />
    </Foot>
  );
}

/** At most two traces are compared: a third pushes out the first. */
function usePicked() {
  const [picked, setPicked] = useState<readonly string[]>([]);
  const search = useLocation({ select: (location) => location.searchStr });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another result starts without a selection
  useEffect(() => setPicked([]), [search]);
  return useMemo(
    () => ({
      picked,
      pick: (id: string) =>
        setPicked((old) => (old.includes(id) ? old.filter((one) => one !== id) : [...old, id].slice(-2))),
      clear: () => setPicked([]),
    }),
    [picked],
  );
}
