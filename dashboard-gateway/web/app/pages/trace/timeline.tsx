// The timeline: ruler, rows and bars, scrolled together. Scrolling moves a layer and repaints one canvas; React renders again
// only when the rows on screen leave those that are there (20 more at each end).
import {
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { usePrefs } from "../../app/prefs.ts";
import { ink } from "../../canvas/ink.ts";
import { rulerTicks } from "../../canvas/timeruler.ts";
import type { Viewport } from "../../canvas/viewport.ts";
import { paintWaterfall, plotOf, type WaterfallScene } from "../../canvas/waterfall.ts";
import { duration } from "../../design/format.ts";
import { useCanvas } from "./canvas.tsx";
import { type RowContext, SpanRow } from "./rowlist.tsx";

export interface TimelineHandle {
  /** Scrolls until a position is on screen; focuses it if asked to. */
  show(position: number, focus: boolean): void;
  scrollRows(rows: number): void;
  /** How many rows fit. */
  readonly page: number;
}

interface Props {
  context: RowContext;
  viewport: Viewport;
  selected: number | null;
  critical: boolean;
  onSelect: (row: number, position: number) => void;
  onToggle: (position: number) => void;
  onRange: (first: number, last: number) => void;
  handle: RefObject<TimelineHandle | null>;
  head: React.ReactNode;
}

/** Browsers refuse elements of more than about 33 M pixels; beyond this scrolling is scaled. */
const SPACER_MAX = 12_000_000;
const OVERSCAN = 20;
const CHUNK = 10;
const NAME_MIN = 140;
/** Rows are placed from the start of their block, so that scrolling moves the layer alone and numbers stay small. */
const BLOCK = 4096;

function originOf(position: number): number {
  return Math.floor(position / BLOCK) * BLOCK;
}

export function Timeline({ context, viewport, selected, critical, onSelect, onToggle, onRange, handle, head }: Props) {
  const { rows, rowHeight, stacked } = context;
  const scroller = useRef<HTMLDivElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const offset = useRef(0);
  const [height, setHeight] = useState(0);
  const [base, setBase] = useState(0);
  const [nameWidth, nameHandle] = useNameWidth(stacked);
  const total = rows.count * rowHeight;
  const spacer = Math.min(total, SPACER_MAX);
  const scale = spacer > height && total > spacer ? (total - height) / (spacer - height) : 1;

  const scene: WaterfallScene = {
    analysis: context.analysis,
    rows,
    viewport,
    rowHeight,
    offset: 0,
    selected,
    matches: context.matches,
    critical,
    slots: context.looks,
    stacked,
  };
  const { canvas, surface } = useCanvas((g, width, tall) => {
    scene.offset = offset.current;
    paintWaterfall(g, width, tall, scene, ink());
  });
  useEffect(() => viewport.listen(() => surface.current?.invalidate()), [viewport, surface]);

  const place = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    offset.current = Math.max(0, Math.min(element.scrollTop * scale, Math.max(0, total - element.clientHeight)));
    const first = Math.floor(offset.current / rowHeight);
    const chunk = Math.max(0, Math.floor((first - OVERSCAN) / CHUNK) * CHUNK);
    setBase(chunk);
    if (layer.current !== null)
      layer.current.style.transform = `translateY(${originOf(chunk) * rowHeight - offset.current}px)`;
    surface.current?.invalidate();
    const last = Math.min(rows.count, Math.floor((offset.current + element.clientHeight) / rowHeight));
    onRange(first, last);
  }, [scale, total, rowHeight, rows, surface, onRange]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setHeight(entry?.contentRect.height ?? 0));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new height means new rows on screen
  useLayoutEffect(place, [place, height, base]);

  useImperativeHandle(
    handle,
    () => ({
      page: Math.max(1, Math.floor(height / rowHeight) - 1),
      scrollRows(by) {
        scroller.current?.scrollBy({ top: (by * rowHeight) / scale });
      },
      show(position, focus) {
        const element = scroller.current;
        if (element === null) return;
        const top = position * rowHeight;
        const tall = element.clientHeight;
        if (top < offset.current || top + rowHeight > offset.current + tall) {
          const near =
            top < offset.current ? offset.current - top <= rowHeight * 3 : top - offset.current - tall <= rowHeight * 3;
          const wanted = near ? (top < offset.current ? top : top + rowHeight - tall) : top - tall / 3;
          element.scrollTop = wanted / scale;
          place();
        }
        if (focus)
          requestAnimationFrame(() => document.getElementById(`row-${position}`)?.focus({ preventScroll: true }));
      },
    }),
    [height, rowHeight, scale, place],
  );

  const shown = Math.ceil(height / rowHeight) + 2 * OVERSCAN + CHUNK;
  const last = Math.min(rows.count, base + shown);
  const positions: number[] = [];
  for (let position = base; position < last; position++) positions.push(position);

  const positionAt = (clientY: number) => {
    const box = scroller.current?.getBoundingClientRect();
    const at = Math.floor((clientY - (box?.top ?? 0) + offset.current) / rowHeight);
    return at >= 0 && at < rows.count ? at : null;
  };
  const gestures = usePlotGestures(viewport, stacked, (event) => {
    const position = positionAt(event.clientY);
    if (position === null) return;
    if (event.target instanceof Element && event.target.closest("[data-fold]") !== null) onToggle(position);
    else onSelect(rows.span[position] as number, position);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    const at = event.target instanceof HTMLElement ? Number(event.target.dataset["position"]) : Number.NaN;
    if (!Number.isInteger(at)) return;
    event.preventDefault();
    onToggle(at);
  };
  return (
    <div
      className={`timeline${stacked ? " timeline-stacked" : ""}`}
      style={{ "--names": `${stacked ? 0 : nameWidth}px` } as React.CSSProperties}
    >
      <div className="timeline-head">
        {!stacked && <div className="timeline-title">{head}</div>}
        {nameHandle}
        <Ruler viewport={viewport} stacked={stacked} gestures={gestures} />
      </div>
      <div className="timeline-scroll" ref={scroller} onScroll={place}>
        <div style={{ height: spacer }}>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: the rows inside are the tree; this takes presses on bars */}
          <div className="timeline-view" style={{ height }} {...gestures.handlers} onKeyDown={onKeyDown}>
            <div className="timeline-rows" role="tree" aria-label="Spans" ref={layer}>
              {positions.map((position) => (
                <SpanRow
                  key={position}
                  context={context}
                  position={position}
                  top={(position - originOf(base)) * rowHeight}
                  selected={selected !== null && rows.position[selected] === position}
                />
              ))}
            </div>
            <div className="timeline-canvas" aria-hidden="true">
              <canvas ref={canvas} />
            </div>
            <div className="timeline-drag" ref={gestures.band} hidden />
            <div className="timeline-cursor" ref={gestures.cursor} hidden />
          </div>
        </div>
      </div>
    </div>
  );
}

/** Width of the names, dragged or moved with arrow keys at its separator. */
function useNameWidth(stacked: boolean): [number, React.ReactNode] {
  const width = usePrefs((state) => state.nameWidth);
  const set = usePrefs((state) => state.set);
  const clamp = (value: number) => Math.round(Math.max(NAME_MIN, Math.min(value, window.innerWidth * 0.6)));
  const onMove = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const left = event.currentTarget.parentElement?.getBoundingClientRect().left ?? 0;
    set({ nameWidth: clamp(event.clientX - left) });
  };
  const separator = stacked ? null : (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the names"
      aria-valuenow={width}
      aria-valuemin={NAME_MIN}
      aria-valuemax={1000}
      tabIndex={0}
      className="timeline-separator"
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onMove}
      onDoubleClick={() => set({ nameWidth: 320 })}
      onKeyDown={(event) => {
        const by = event.key === "ArrowLeft" ? -16 : event.key === "ArrowRight" ? 16 : 0;
        if (by === 0) return;
        event.preventDefault();
        event.stopPropagation();
        set({ nameWidth: clamp(width + by) });
      }}
    />
  );
  return [width, separator];
}

interface Gestures {
  readonly handlers: {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => void;
    onPointerMove: (event: PointerEvent<HTMLDivElement>) => void;
    onPointerUp: (event: PointerEvent<HTMLDivElement>) => void;
    onPointerLeave: () => void;
  };
  readonly band: RefObject<HTMLDivElement | null>;
  readonly cursor: RefObject<HTMLDivElement | null>;
  readonly moment: RefObject<HTMLSpanElement | null>;
  readonly plot: RefObject<HTMLDivElement | null>;
}

const DRAG_MIN = 5;

/** Presses, drags and the cursor over the bars. A drag shows a part of the time, Ctrl+wheel zooms, Shift+wheel pans. */
function usePlotGestures(
  viewport: Viewport,
  stacked: boolean,
  onPress: (event: PointerEvent<HTMLDivElement>) => void,
): Gestures {
  const band = useRef<HTMLDivElement>(null);
  const cursor = useRef<HTMLDivElement>(null);
  const moment = useRef<HTMLSpanElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const from = useRef<number | null>(null);
  const nanoAt = useCallback(
    (clientX: number) => {
      const box = plot.current?.getBoundingClientRect();
      if (box === undefined) return 0;
      const { left, width } = plotOf(box.width, stacked);
      return viewport.from + ((clientX - box.left - left) / width) * viewport.width;
    },
    [viewport, stacked],
  );
  useEffect(() => {
    const host = plot.current?.closest(".timeline");
    const onWheel = (event: Event) => {
      if (!(event instanceof WheelEvent)) return;
      if (event.ctrlKey || event.metaKey) viewport.zoom(Math.exp(event.deltaY * 0.002), nanoAt(event.clientX));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        viewport.pan((event.deltaX || event.deltaY) / 1000);
      else return;
      event.preventDefault();
    };
    host?.addEventListener("wheel", onWheel, { passive: false });
    return () => host?.removeEventListener("wheel", onWheel);
  }, [viewport, nanoAt]);
  const stretch = (event: PointerEvent<HTMLDivElement>) => {
    const box = plot.current?.getBoundingClientRect();
    if (box === undefined || cursor.current === null || moment.current === null) return;
    const inside = event.clientX > box.left && event.pointerType === "mouse";
    cursor.current.hidden = !inside;
    moment.current.hidden = !inside;
    const host = event.currentTarget.getBoundingClientRect();
    cursor.current.style.transform = `translateX(${Math.round(event.clientX - host.left)}px)`;
    moment.current.style.transform = `translateX(${Math.min(Math.round(event.clientX - box.left), box.width - 70)}px)`;
    const at = nanoAt(event.clientX);
    moment.current.textContent = duration(Math.abs(at) < viewport.width * 1e-4 ? 0 : at);
    if (from.current === null || band.current === null) return;
    const left = Math.max(box.left, Math.min(from.current, event.clientX)) - host.left;
    band.current.hidden = Math.abs(event.clientX - from.current) < DRAG_MIN;
    band.current.style.transform = `translateX(${left}px)`;
    band.current.style.width = `${Math.abs(event.clientX - from.current)}px`;
  };
  const handlers = {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
      const box = plot.current?.getBoundingClientRect();
      if (event.button !== 0 || event.pointerType !== "mouse" || box === undefined || event.clientX < box.left) return;
      from.current = event.clientX;
      // A drag over bars means time, not text.
      event.currentTarget.style.userSelect = "none";
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: stretch,
    onPointerUp: (event: PointerEvent<HTMLDivElement>) => {
      const start = from.current;
      from.current = null;
      event.currentTarget.style.userSelect = "";
      if (band.current !== null) band.current.hidden = true;
      if (start !== null && Math.abs(event.clientX - start) >= DRAG_MIN)
        viewport.show(nanoAt(start), nanoAt(event.clientX));
      else if (event.button === 0 && (window.getSelection()?.isCollapsed ?? true)) onPress(event);
    },
    onPointerLeave: () => {
      if (cursor.current !== null) cursor.current.hidden = true;
      if (moment.current !== null) moment.current.hidden = true;
    },
  };
  return { handlers, band, cursor, moment, plot };
}

function Ruler({ viewport, stacked, gestures }: { viewport: Viewport; stacked: boolean; gestures: Gestures }) {
  const { canvas, surface } = useCanvas((g, width, height) => {
    const colours = ink();
    const plot = plotOf(width, stacked);
    g.font = `11px ${colours.sans}`;
    g.fillStyle = colours.ink3;
    g.textBaseline = "middle";
    for (const tick of rulerTicks(viewport.from, viewport.to, plot.width, stacked ? 70 : 90)) {
      const x = plot.left + ((tick.nano - viewport.from) / viewport.width) * plot.width;
      const half = g.measureText(tick.label).width / 2;
      g.fillText(tick.label, Math.max(0, Math.min(x - half, width - 2 * half - 2)), height / 2 + 1);
    }
  });
  useEffect(() => viewport.listen(() => surface.current?.invalidate()), [viewport, surface]);
  return (
    <div className="timeline-ruler" ref={gestures.plot} aria-hidden="true">
      <canvas ref={canvas} />
      <span className="timeline-moment" ref={gestures.moment} hidden />
    </div>
  );
}
