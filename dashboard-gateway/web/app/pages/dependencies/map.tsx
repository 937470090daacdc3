// The map itself: edges on a canvas, services as buttons over it, one scroll and one scale for both.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useKeys } from "../../app/keys.ts";
import { onThemeChange } from "../../app/prefs.ts";
import { Button } from "../../design/controls.tsx";
import { rate } from "../../design/format.ts";
import { ServiceSwatch } from "../../design/service.tsx";
import { Text } from "../../design/text.tsx";
import { createEdgeCanvas, type EdgeCanvas } from "./draw.ts";
import { around, type Layout, layOut, type Sizes } from "./layout.ts";
import { type Edge, LABELS_UP_TO, type Model, type Node } from "./model.ts";

interface ServiceMapProps {
  model: Model;
  focus: string | null;
  selected: string | null;
  onFocus: (name: string | null) => void;
  onSelect: (edge: string | null) => void;
}

const NODE_WIDTH = 132;
const LABEL_WIDTH = 144;
const SCALES = [0.25, 0.35, 0.5, 0.7, 0.85, 1, 1.25, 1.5] as const;
const KINDS: Record<Node["kind"], string> = {
  service: "",
  database: "database",
  messaging: "queue",
  external: "external",
};

export function ServiceMap({ model, focus, selected, onFocus, onSelect }: ServiceMapProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<EdgeCanvas | null>(null);
  const [width, setWidth] = useState(0);
  const [scale, setScale] = useState(1);
  const crowded = model.nodes.length > LABELS_UP_TO;
  const layout = useMemo(() => fitted(model, width / scale, crowded), [model, width, scale, crowded]);
  const lit = useMemo(() => {
    if (focus === null) return null;
    return new Set(
      model.edges.filter((edge) => edge.caller === focus || edge.callee === focus).map((edge) => edge.key),
    );
  }, [model, focus]);
  const near = useMemo(() => (focus === null ? null : around(model.edges, focus, 1)), [model, focus]);

  useLayoutEffect(() => {
    const outer = box.current;
    if (outer === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(outer);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current === null) return;
    const made = createEdgeCanvas(canvas.current);
    drawn.current = made;
    return () => {
      drawn.current = null;
      made.dispose();
    };
  }, []);
  useEffect(() => {
    const show = () =>
      drawn.current?.show({
        layout,
        edges: model.edges,
        lit,
        selected,
        labelWidth: LABEL_WIDTH,
        labelled: (edge: Edge) =>
          !crowded || edge.state !== "usual" || edge.key === selected || (lit?.has(edge.key) ?? false),
        scale,
      });
    show();
    return onThemeChange(show);
  }, [layout, model, lit, selected, crowded, scale]);

  const zoom = (step: number) => {
    const at = SCALES.findIndex((each) => each >= scale - 1e-6);
    setScale(SCALES[Math.max(0, Math.min(SCALES.length - 1, at + step))] ?? 1);
  };
  useKeys("Map", [
    { keys: "+", does: "larger", run: () => zoom(1) },
    { keys: "-", does: "smaller", run: () => zoom(-1) },
  ]);
  const pick = (event: React.MouseEvent) => {
    const outer = box.current;
    if (outer === null || event.target instanceof HTMLButtonElement) return;
    const bounds = outer.getBoundingClientRect();
    const hit = drawn.current?.at(
      event.clientX - bounds.left + outer.scrollLeft,
      event.clientY - bounds.top + outer.scrollTop,
    );
    onSelect(hit?.key ?? null);
  };
  const byName = useMemo(() => new Map(model.nodes.map((node) => [node.name, node])), [model]);

  return (
    <section className="map" aria-label="Map of services; the table below has the same edges">
      <div className="map-key tiny faint">
        <span>On each line: rate per second, errors, p95</span>
        {crowded && <span>{model.nodes.length} services: numbers on broken, slow and focused lines only</span>}
        <span className="spacer" />
        <Button look="quiet" onClick={() => zoom(-1)} aria-label="smaller">
          −
        </Button>
        <span>{Math.round(scale * 100)} %</span>
        <Button look="quiet" onClick={() => zoom(1)} aria-label="larger">
          +
        </Button>
      </div>
      <div className="map-stage">
        <canvas ref={canvas} className="map-canvas" />
        {/* biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/noStaticElementInteractions: lines are selected in the table by keyboard */}
        <div
          ref={box}
          className="map-box"
          onScroll={(event) => drawn.current?.scrollTo(event.currentTarget.scrollLeft, event.currentTarget.scrollTop)}
          onClick={pick}
        >
          <div className="map-space" style={{ width: layout.width * scale, height: layout.height * scale }}>
            <div className="map-nodes" style={{ transform: `scale(${scale})` }}>
              {layout.nodes.map((placed) => {
                const node = byName.get(placed.name);
                if (node === undefined) return null;
                const dim = near !== null && !near.has(node.name);
                return (
                  <button
                    key={node.name}
                    type="button"
                    className={`map-node map-${node.state} ${dim ? "map-dim" : ""}`}
                    aria-pressed={focus === node.name}
                    style={{
                      width: NODE_WIDTH,
                      height: placed.height,
                      transform: `translate(${placed.x}px, ${placed.y}px)`,
                    }}
                    onClick={() => onFocus(focus === node.name ? null : node.name)}
                  >
                    <ServiceSwatch name={node.name} tall />
                    <span className="map-name">
                      {node.state !== "usual" && <span className="visually-hidden">{node.state}: </span>}
                      <Text value={node.name} />
                    </span>
                    <span className="map-rate">{facts(node)}</span>
                  </button>
                );
              })}
            </div>
          </div>
        </div>
      </div>
    </section>
  );
}

function facts(node: Node): string {
  const parts = [rate(node.perSecond)];
  if (KINDS[node.kind] !== "") parts.push(KINDS[node.kind]);
  else if (!node.called) parts.push("no caller");
  return parts.join(" · ");
}

/** The layout that fills the width: columns draw apart up to a limit, and never closer than the numbers need. */
function fitted(model: Model, width: number, crowded: boolean): Layout {
  const least = crowded ? 96 : LABEL_WIDTH + 48;
  const sizes: Sizes = { node: NODE_WIDTH, gap: least, port: 17, height: 38, space: crowded ? 10 : 18 };
  const names = model.nodes.map((node) => node.name);
  const tight = layOut(names, model.edges, sizes);
  const columns = Math.round((tight.width + sizes.gap) / (sizes.node + sizes.gap));
  if (columns < 2 || tight.width >= width - 4) return tight;
  const gap = Math.min(360, Math.floor((width - 4 - columns * sizes.node) / (columns - 1)));
  return layOut(names, model.edges, { ...sizes, gap });
}
