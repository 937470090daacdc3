// The flame graph of the trace. A press looks at a part, a press on what stands above goes back; Statistics has the numbers.
import { type PointerEvent, useMemo, useRef, useState } from "react";
import { useEscape } from "../../app/keys.ts";
import { FLAME_ROW, type FlameBox, flameHit, layoutFlame, paintFlame } from "../../canvas/flame.ts";
import { ink } from "../../canvas/ink.ts";
import { slotOf } from "../../design/colour.ts";
import { Button } from "../../design/controls.tsx";
import { count, duration } from "../../design/format.ts";
import { ServiceName } from "../../design/service.tsx";
import { Text } from "../../design/text.tsx";
import { type CallNode, callTree, flatten } from "../../trace/call-tree.ts";
import { useCanvas } from "./canvas.tsx";
import type { TabProps } from "./tabprops.ts";

export function FlameTab({ analysis, model, onSelect }: TabProps) {
  const roots = useMemo(
    () => callTree(analysis.trace, { self: analysis.self, critical: analysis.path.perRow }),
    [analysis],
  );
  const nodes = useMemo(() => flatten(roots), [roots]);
  const depth = useMemo(() => nodes.reduce((max, node) => Math.max(max, node.depth), 0) + 1, [nodes]);
  const [focus, setFocus] = useState<CallNode | null>(null);
  const [hovered, setHovered] = useState<{ box: FlameBox; x: number; y: number } | null>(null);
  const [offset, setOffset] = useState(0);
  const boxes = useRef<FlameBox[]>([]);
  useEscape(focus !== null, () => setFocus(null));
  const { canvas } = useCanvas((g, width, height) => {
    boxes.current = layoutFlame(roots, focus, width);
    paintFlame(
      g,
      width,
      height,
      { boxes: boxes.current, slotOf, words: model.words, hovered: hovered?.box ?? null, offset },
      ink(),
    );
  });
  const hit = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return { box: flameHit(boxes.current, x, y + offset), x, y, wide: box.width };
  };
  return (
    <>
      <div className="stat-knobs">
        <span className="faint">
          Width is self time, equal calls put together: {count(nodes.length)} places in {count(analysis.trace.count)}{" "}
          spans. Press to look closer.
        </span>
        {focus !== null && <Button onClick={() => setFocus(null)}>All of it</Button>}
      </div>
      <div className="trace-scroll flame" onScroll={(event) => setOffset(event.currentTarget.scrollTop)}>
        <div style={{ height: depth * FLAME_ROW + 24 }}>
          <div
            className="flame-view"
            role="img"
            aria-label={`Flame graph of ${nodes.length} places; the Statistics tab has the same numbers as a table`}
            onPointerMove={(event) => {
              const at = hit(event);
              setHovered(
                at.box === null
                  ? null
                  : { box: at.box, x: Math.max(0, Math.min(at.x + 14, at.wide - 300)), y: at.y + 18 },
              );
            }}
            onPointerLeave={() => setHovered(null)}
            onPointerUp={(event) => {
              const { box } = hit(event);
              if (box === null) return;
              setFocus(box.node === focus ? null : box.node);
              onSelect(box.node.row);
            }}
          >
            <div className="plain-canvas" aria-hidden="true">
              <canvas ref={canvas} className="plain-canvas" />
            </div>
            {hovered !== null && (
              <div className="canvas-tip" style={{ transform: `translate(${hovered.x}px, ${hovered.y}px)` }}>
                <FlameTip node={hovered.box.node} whole={analysis.trace.durationNano} />
              </div>
            )}
          </div>
        </div>
      </div>
    </>
  );
}

function FlameTip({ node, whole }: { node: CallNode; whole: number }) {
  return (
    <>
      <ServiceName name={node.service} />
      <div>
        <b>
          <Text value={node.operation} />
        </b>
      </div>
      <div>
        {duration(node.self)} self · {duration(node.weight)} with all below · {count(node.count)}{" "}
        {node.count === 1 ? "call" : "calls"}
      </div>
      {node.critical > 0 && whole > 0 && <div>{((node.critical / whole) * 100).toFixed(1)} % of the critical path</div>}
      {node.errors > 0 && <div className="err">{count(node.errors)} failed</div>}
    </>
  );
}
