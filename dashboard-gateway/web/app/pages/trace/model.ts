// The state of a trace page that is not in the URL, and what follows from both: visible rows, matches, the selected row.
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { findQuery, type TraceKey } from "../../api/trace.ts";
import { config } from "../../app/config.ts";
import { useSmall } from "../../app/media.ts";
import { Viewport } from "../../canvas/viewport.ts";
import type { Analysis } from "../../trace/analysis.ts";
import { findLocally, includesRow, mergeRows, nextMatch, parseFind } from "../../trace/find.ts";
import { type LinkPattern, readPatterns } from "../../trace/link-patterns.ts";
import {
  foldAll,
  foldOneLevel,
  reveal,
  type Shape,
  unfoldOneLevel,
  type VisibleRows,
  visibleRows,
} from "../../trace/rows.ts";
import { NO_GROUP } from "../../trace/similar.ts";
import { durationOf, endOf, rowOfSpanId, spanIdOf, startOf } from "../../trace/trace.ts";
import { type Look, looksOf } from "./looks.ts";
import type { TraceState } from "./state.ts";

export interface TraceModel {
  readonly small: boolean;
  readonly viewport: Viewport;
  readonly looks: readonly Look[];
  readonly shape: Shape;
  readonly rows: VisibleRows;
  readonly critical: boolean;
  readonly words: readonly string[];
  readonly matches: Uint32Array;
  /** Place of the selected row among the matches, from 1; 0 for none. */
  readonly matchAt: number;
  readonly finding: boolean;
  readonly selected: number | null;
  readonly panel: boolean;
  readonly patterns: readonly LinkPattern[];
  readonly onErrorPath: boolean;
  readonly errorPathSize: number;
  setOnErrorPath(on: boolean): void;
  setCritical(on: boolean): void;
  setGrouped(on: boolean): void;
  setPanel(open: boolean): void;
  setServices(names: readonly string[] | null): void;
  /** Selects a row, opens what hides it; answers its position. */
  select(row: number): number;
  toggle(position: number): void;
  fold(how: "all" | "none" | "level" | "unlevel"): void;
  nextMatch(step: 1 | -1): number | null;
  /** Nanoseconds after the start of the trace. */
  middleOf(row: number): number;
  nextError(step: 1 | -1): number | null;
}

const WHOLE: Shape = { folded: new Set(), grouped: true, open: new Set(), services: null, only: null };

export function useTraceModel(
  analysis: Analysis,
  key: TraceKey,
  state: TraceState,
  change: (change: Partial<TraceState>) => void,
): TraceModel {
  const { trace, groups } = analysis;
  const small = useSmall();
  const looks = useMemo(() => looksOf(trace), [trace]);
  const viewport = useViewport(analysis, state, change);
  const [critical, setCritical] = useState(true);
  const [base, setBase] = useState<Shape>(WHOLE);
  const [panel, setPanel] = useState(true);
  const [errorsOnly, setErrorsOnly] = useState(small);
  const onErrorPath = errorsOnly && small && analysis.errors.length > 0;
  const errorPathSize = useMemo(() => analysis.onErrorPath.reduce((sum, one) => sum + one, 0), [analysis]);
  const services = useMemo(() => serviceIndices(trace.services, state.services), [trace, state.services]);
  const shape = useMemo(
    () => ({ ...base, services, only: onErrorPath ? analysis.onErrorPath : null }),
    [base, services, onErrorPath, analysis],
  );
  const rows = useMemo(() => visibleRows(trace, groups, shape), [trace, groups, shape]);
  const { words, matches, finding } = useMatches(analysis, key, state.find);
  const wanted = useMemo(() => (state.span === null ? null : rowOfSpanId(trace, state.span)), [trace, state.span]);
  const selected = wanted ?? analysis.cause ?? (state.span === null ? null : 0);

  // A link to a span opens what hides it, once.
  const [revealed, setRevealed] = useState<number | null>(null);
  if (selected !== revealed) {
    setRevealed(selected);
    if (
      selected !== null &&
      rows.position[selected] !== undefined &&
      rows.span[rows.position[selected] as number] !== selected
    ) {
      setBase(reveal(trace, groups, base, selected));
    }
  }

  const select = useCallback(
    (row: number) => {
      change({ span: spanIdOf(trace, row) });
      setPanel(true);
      viewport.reveal(startOf(trace, row), endOf(trace, row));
      const at = rows.position[row] as number;
      const hidden = at >= 0 && (rows.span[at] !== row || rows.group[at] !== NO_GROUP);
      if (!hidden) return at;
      const opened = reveal(trace, groups, shape, row);
      setBase((held) => ({ ...held, folded: opened.folded, open: opened.open }));
      return visibleRows(trace, groups, opened).position[row] as number;
    },
    [trace, groups, rows, shape, change, viewport],
  );
  const toggle = useCallback(
    (position: number) => {
      const row = rows.span[position] as number;
      const group = rows.group[position] as number;
      if (group === NO_GROUP && (trace.columns.children[row] ?? 0) === 0) return;
      setBase((held) =>
        group === NO_GROUP
          ? { ...held, folded: flipped(held.folded, row) }
          : { ...held, open: flipped(held.open, group) },
      );
    },
    [rows, trace],
  );
  const fold = useCallback(
    (how: "all" | "none" | "level" | "unlevel") => {
      setBase((held) => {
        if (how === "all") return { ...held, folded: foldAll(trace), open: new Set() };
        if (how === "none") return { ...held, folded: new Set() };
        return {
          ...held,
          folded: how === "level" ? foldOneLevel(trace, held.folded) : unfoldOneLevel(trace, held.folded),
        };
      });
    },
    [trace],
  );
  return useMemo(
    () => ({
      small,
      viewport,
      looks,
      shape,
      rows,
      critical,
      words,
      matches,
      matchAt: selected !== null && includesRow(matches, selected) ? matches.indexOf(selected) + 1 : 0,
      finding,
      selected,
      panel,
      patterns: PATTERNS,
      onErrorPath,
      errorPathSize,
      setOnErrorPath: setErrorsOnly,
      setCritical,
      setGrouped: (grouped: boolean) => setBase((held) => ({ ...held, grouped, open: new Set() })),
      setPanel,
      setServices: (names: readonly string[] | null) => change({ services: names }),
      select,
      toggle,
      fold,
      middleOf: (row: number) => startOf(trace, row) + durationOf(trace, row) / 2,
      nextMatch: (step: 1 | -1) => nextMatch(matches, selected, step),
      nextError: (step: 1 | -1) => nextMatch(analysis.errors, selected, step),
    }),
    [
      small,
      viewport,
      looks,
      shape,
      rows,
      critical,
      words,
      matches,
      finding,
      selected,
      panel,
      onErrorPath,
      errorPathSize,
      change,
      select,
      toggle,
      fold,
      analysis,
      trace,
    ],
  );
}

/** Link patterns come with the page's configuration. */
const PATTERNS = readPatterns((config as { linkPatterns?: unknown }).linkPatterns);

function flipped(set: ReadonlySet<number>, member: number): Set<number> {
  const out = new Set(set);
  if (!out.delete(member)) out.add(member);
  return out;
}

function serviceIndices(all: readonly string[], names: readonly string[] | null): ReadonlySet<number> | null {
  if (names === null) return null;
  const out = new Set(names.map((name) => all.indexOf(name)).filter((index) => index >= 0));
  return out.size === 0 || out.size === all.length ? null : out;
}

const ZOOM_REST_MS = 250;

function useViewport(analysis: Analysis, state: TraceState, change: (change: Partial<TraceState>) => void): Viewport {
  const { zoom } = state;
  const viewport = useMemo(
    () => new Viewport(Math.max(analysis.trace.durationNano, durationOf(analysis.trace, 0))),
    [analysis],
  );
  // The URL's zoom, at the beginning and when it moves by itself.
  useEffect(() => {
    if (zoom === null) viewport.reset();
    else viewport.show(zoom[0], zoom[1]);
  }, [zoom, viewport]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = viewport.listen(() => {
      clearTimeout(timer);
      timer = setTimeout(() => change({ zoom: viewport.whole ? null : [viewport.from, viewport.to] }), ZOOM_REST_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [viewport, change]);
  return viewport;
}

const FIND_REST_MS = 200;

function useMatches(
  analysis: Analysis,
  key: TraceKey,
  text: string,
): Pick<TraceModel, "words" | "matches" | "finding"> {
  const query = useMemo(() => parseFind(text), [text]);
  const local = useMemo(() => findLocally(analysis.trace, query), [analysis, query]);
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), FIND_REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const remote = useQuery(findQuery(key, rested));
  const found = rested === text ? remote.data : undefined;
  const matches = useMemo(() => (found === undefined ? local : mergeRows(local, found)), [local, found]);
  return { words: query.words, matches, finding: remote.isFetching };
}
