// The graph of operations: who called whom how often, left to right. Every node is a button; a bar under it shows its share.
import { useMemo, useState } from "react";
import { Segmented } from "../../design/controls.tsx";
import { count, duration, plural } from "../../design/format.ts";
import { ServiceSwatch } from "../../design/service.tsx";
import { Text } from "../../design/text.tsx";
import { type CallNode, callTree } from "../../trace/call-tree.ts";
import { operationGraph } from "../../trace/graph.ts";
import type { TabProps } from "./tabprops.ts";

const NODES_MAX = 400;
const WIDTH = 196;
const HEIGHT = 40;
const COLUMN = WIDTH + 44;
const LINE = HEIGHT + 8;
const PAD = 12;

type Measure = "self" | "total" | "critical";

const VALUE: Record<Measure, (node: CallNode) => number> = {
  self: (node) => node.self,
  total: (node) => node.total,
  critical: (node) => node.critical,
};

export function GraphTab({ analysis, model, onSelect }: TabProps) {
  const [measure, setMeasure] = useState<Measure>("self");
  const graph = useMemo(() => {
    const roots = callTree(analysis.trace, { self: analysis.self, critical: analysis.path.perRow });
    return operationGraph(roots, NODES_MAX);
  }, [analysis]);
  const value = VALUE[measure];
  const top = graph.nodes.reduce((max, { node }) => Math.max(max, value(node)), 0);
  const x = (column: number) => PAD + column * COLUMN;
  const y = (line: number) => PAD + line * LINE;
  const found = (node: CallNode) =>
    model.words.some((word) => `${node.service} ${node.operation}`.toLowerCase().includes(word));
  return (
    <>
      <div className="stat-knobs">
        <Segmented
          label="Bars"
          value={measure}
          choices={[
            { value: "self", label: "Self time" },
            { value: "total", label: "Total time" },
            { value: "critical", label: "Critical path" },
          ]}
          onChange={setMeasure}
        />
        <span className="faint">
          {plural(graph.nodes.length, "place")}, equal calls put together
          {graph.hidden > 0 && `; ${count(graph.hidden)} with little time are left out`}
        </span>
      </div>
      <div className="trace-scroll">
        <div className="graph" style={{ width: x(graph.columns), height: y(graph.lines) + PAD }}>
          <svg className="graph-edges" width={x(graph.columns)} height={y(graph.lines) + PAD} aria-hidden="true">
            {graph.edges.map(([from, to]) => (
              <path
                key={to.node.row}
                className={to.node.errors > 0 ? "graph-edge graph-edge-error" : "graph-edge"}
                d={curve(x(from.column) + WIDTH, y(from.line) + HEIGHT / 2, x(to.column), y(to.line) + HEIGHT / 2)}
              />
            ))}
          </svg>
          {graph.nodes.map(({ node, column, line }) => (
            <button
              key={node.row}
              type="button"
              className={`graph-node${model.words.length > 0 ? (found(node) ? " graph-found" : " graph-dim") : ""}`}
              style={{ transform: `translate(${x(column)}px, ${y(line)}px)`, width: WIDTH, height: HEIGHT }}
              onClick={() => onSelect(node.row)}
            >
              <span className="graph-line">
                <ServiceSwatch name={node.service} />
                <b className="cut">
                  <Text value={node.service} />
                </b>
                {node.count > 1 && <span className="faint">× {count(node.count)}</span>}
                {node.errors > 0 && <b className="err">! {count(node.errors)}</b>}
              </span>
              <span className="graph-line">
                <span className={`cut${node.errors > 0 ? " err" : ""}`}>
                  <Text value={node.operation} />
                </span>
                <span className="faint graph-value">{duration(value(node))}</span>
              </span>
              <i className="graph-bar" style={{ width: `${top > 0 ? (value(node) / top) * 100 : 0}%` }} />
            </button>
          ))}
        </div>
      </div>
    </>
  );
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}
