// Keys of the trace page: Jaeger's as they are, ours beside them.
import type { RefObject } from "react";
import { useEffect, useRef } from "react";
import { type Key, useKeys } from "../../app/keys.ts";
import { NO_GROUP } from "../../trace/similar.ts";
import type { TraceModel } from "./model.ts";
import { TABS, type TraceState } from "./state.ts";
import type { TimelineHandle } from "./timeline.tsx";

interface Parts {
  model: TraceModel;
  timeline: RefObject<TimelineHandle | null>;
  select: (row: number, focus?: boolean) => void;
  openFind: () => void;
  copyLink: () => void;
  change: (change: Partial<TraceState>) => void;
  traceId: string;
}

const PAN = 0.1;
const PAN_FAST = 0.5;

export function useTraceKeys(parts: Parts): void {
  const latest = useRef(parts);
  latest.current = parts;
  const step = (by: 1 | -1) => {
    const { model, select, timeline } = latest.current;
    const { rows, selected } = model;
    const at = selected === null ? -1 : (rows.position[selected] ?? -1);
    for (let position = at + by; position >= 0 && position < rows.count; position += by) {
      // The head of an open group stands for no span; one that is closed opens when it is reached.
      if (rows.group[position] !== NO_GROUP && model.shape.open.has(rows.group[position] as number)) continue;
      select(rows.span[position] as number, true);
      timeline.current?.show(position, true);
      return;
    }
  };
  const foldSelected = (fold: boolean) => {
    const { model, select } = latest.current;
    const { selected, rows, shape } = model;
    if (selected === null) return;
    const position = rows.position[selected] as number;
    const folded = shape.folded.has(selected);
    if (fold !== folded) model.toggle(position);
    else if (fold) {
      const above = rows.depth[position] as number;
      for (let at = position - 1; at >= 0; at--)
        if ((rows.depth[at] as number) < above) return select(rows.span[at] as number, true);
    }
  };
  const go = (row: number | null) => {
    if (row !== null) latest.current.select(row, true);
  };
  const view = () => latest.current.model.viewport;
  // Around the selected span when it is on screen, else around the middle.
  const zoom = (factor: number) => {
    const { viewport, selected, middleOf } = latest.current.model;
    const middle = selected === null ? null : middleOf(selected);
    viewport.zoom(factor, middle !== null && middle >= viewport.from && middle <= viewport.to ? middle : undefined);
  };
  const keys: Key[] = [
    { keys: "w", does: "scroll up", run: () => latest.current.timeline.current?.scrollRows(-8) },
    { keys: "s", does: "scroll down", run: () => latest.current.timeline.current?.scrollRows(8) },
    {
      keys: "f",
      does: "a page down",
      run: () => latest.current.timeline.current?.scrollRows(latest.current.timeline.current.page),
    },
    {
      keys: "b",
      does: "a page up",
      run: () => latest.current.timeline.current?.scrollRows(-latest.current.timeline.current.page),
    },
    { keys: "a", does: "pan left", run: () => view().pan(-PAN) },
    { keys: "d", does: "pan right", run: () => view().pan(PAN) },
    { keys: "←", does: "pan left", run: () => view().pan(-PAN) },
    { keys: "→", does: "pan right", run: () => view().pan(PAN) },
    { keys: "Shift+←", does: "pan left, far", run: () => view().pan(-PAN_FAST) },
    { keys: "Shift+→", does: "pan right, far", run: () => view().pan(PAN_FAST) },
    { keys: "↑", does: "zoom in", run: () => zoom(0.8) },
    { keys: "↓", does: "zoom out", run: () => zoom(1.25) },
    { keys: "Shift+↑", does: "zoom in, far", run: () => zoom(0.4) },
    { keys: "Shift+↓", does: "zoom out, far", run: () => zoom(2.5) },
    { keys: "0", does: "show all of the time", run: () => view().reset() },
    { keys: "]", does: "unfold all", run: () => latest.current.model.fold("none") },
    { keys: "[", does: "fold all", run: () => latest.current.model.fold("all") },
    { keys: "p", does: "unfold one level", run: () => latest.current.model.fold("unlevel") },
    { keys: "o", does: "fold one level", run: () => latest.current.model.fold("level") },
    { keys: "Ctrl+B", does: "find in the trace", run: () => latest.current.openFind(), inFields: true },
    { keys: "/", does: "find in the trace", run: () => latest.current.openFind() },
    { keys: "j", does: "next span", run: () => step(1) },
    { keys: "k", does: "previous span", run: () => step(-1) },
    { keys: "h", does: "fold the span, or go to its parent", run: () => foldSelected(true) },
    { keys: "l", does: "unfold the span", run: () => foldSelected(false) },
    { keys: "n", does: "next match", run: () => go(latest.current.model.nextMatch(1)) },
    { keys: "Shift+N", does: "previous match", run: () => go(latest.current.model.nextMatch(-1)) },
    { keys: "e", does: "next error", run: () => go(latest.current.model.nextError(1)) },
    { keys: "Shift+E", does: "previous error", run: () => go(latest.current.model.nextError(-1)) },
    { keys: "v", does: "critical path", run: () => latest.current.model.setCritical(!latest.current.model.critical) },
    {
      keys: ".",
      does: "group similar siblings",
      run: () => latest.current.model.setGrouped(!latest.current.model.shape.grouped),
    },
    { keys: "i", does: "side panel", run: () => latest.current.model.setPanel(!latest.current.model.panel) },
    { keys: "y", does: "copy the link to the span", run: () => latest.current.copyLink() },
    ...TABS.map((tab, index) => ({ keys: `${index + 1}`, does: tab, run: () => latest.current.change({ tab }) })),
  ];
  useKeys("Trace", keys);
  // A link to a span, or the first error: bring it on screen once.
  useEffect(() => {
    const { model, timeline } = latest.current;
    const { selected, rows } = model;
    if (selected !== null) timeline.current?.show(rows.position[selected] ?? 0, false);
  }, []);
}
