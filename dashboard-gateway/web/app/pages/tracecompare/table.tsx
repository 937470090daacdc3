// The merged tree: calls, errors and times of A and B, the change, and A's outline over B's bar.
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { slotOf } from "../../design/colour.ts";
import { count, duration, NONE } from "../../design/format.ts";
import { ServiceSwatch } from "../../design/service.tsx";
import { type Column, DataTable } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import { type DiffNode, type Verdict, verdict } from "../../trace/diff.ts";
import { spanIdOf, type Trace } from "../../trace/trace.ts";
import { signed } from "./sentence.tsx";

interface Props {
  nodes: readonly DiffNode[];
  noise: number;
  /** Nanoseconds that a full bar stands for. */
  length: number;
  /** A row to bring on screen. */
  hint: number | null;
  left: string;
  right: string;
  traceA: Trace;
  traceB: Trace;
}

const ROW = 24;
const INDENT = 11;
const INDENT_MAX = 20;

const SIGNS: Record<Verdict, readonly [string, string, string]> = {
  added: ["+", "warn", "only in B"],
  removed: ["−", "better", "only in A"],
  more: ["▲", "warn", "slower or more calls"],
  less: ["▼", "better", "faster or fewer calls"],
  same: ["", "faint", "no change"],
};

export function DiffTable({ nodes, noise, length, hint, left, right, traceA, traceB }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  // Sums of concurrent calls may be longer than the trace.
  const top = nodes.reduce((max, node) => Math.max(max, node.a.total, node.b.total), length);
  useEffect(() => {
    if (hint !== null && hint >= 0) scroll.current?.scrollTo({ top: Math.max(0, hint * ROW - 60) });
  }, [hint]);
  const open = (node: DiffNode) => {
    const [id, trace, row] = node.b.row === null ? [left, traceA, node.a.row] : [right, traceB, node.b.row];
    if (row !== null) void navigate({ to: `/trace/${id}` as never, search: { span: spanIdOf(trace, row) } as never });
  };
  return (
    <div className="compare-table" ref={scroll}>
      <DataTable
        label="Merged tree of both traces"
        rows={nodes}
        columns={columnsOf(nodes, noise, top)}
        rowKey={(node) => String(nodes.indexOf(node))}
        rowHeight={ROW}
        scroll={scroll}
        onOpen={open}
        selected={(node) => hint !== null && nodes[hint] === node}
      />
    </div>
  );
}

function columnsOf(nodes: readonly DiffNode[], noise: number, top: number): Column<DiffNode>[] {
  const before = new Map(nodes.map((node, index) => [node, nodes[index - 1]]));
  const calls = (node: DiffNode, side: "a" | "b") => {
    const differs = node.a.calls !== node.b.calls;
    const value = node[side].calls === 0 ? NONE : count(node[side].calls);
    if (!differs) return <span className="faint">{value}</span>;
    return side === "b" ? <b className={node.b.calls > node.a.calls ? "warn" : "better"}>{value}</b> : value;
  };
  const errors = (value: number) =>
    value > 0 ? <b className="err">{count(value)}</b> : <span className="faint">0</span>;
  const time = (node: DiffNode, side: "a" | "b") => (node[side].calls === 0 ? NONE : duration(node[side].total));
  return [
    {
      key: "operation",
      head: "Service and operation, merged tree",
      width: "minmax(220px, 3fr)",
      cell: (node) => (
        <Name node={node} crosses={before.get(node)?.service !== node.service} sign={SIGNS[verdict(node, noise)]} />
      ),
    },
    {
      key: "callsA",
      head: "Calls A",
      width: "64px",
      align: "right",
      cell: (node) => calls(node, "a"),
      className: "hide-small",
    },
    {
      key: "callsB",
      head: "B",
      width: "44px",
      align: "right",
      cell: (node) => calls(node, "b"),
      className: "hide-small",
    },
    {
      key: "errorsA",
      head: "Errors A",
      width: "64px",
      align: "right",
      cell: (node) => errors(node.a.errors),
      className: "hide-small",
    },
    {
      key: "errorsB",
      head: "B",
      width: "44px",
      align: "right",
      cell: (node) => errors(node.b.errors),
      className: "hide-small",
    },
    { key: "timeA", head: "Time A", width: "80px", align: "right", cell: (node) => time(node, "a") },
    { key: "timeB", head: "Time B", width: "80px", align: "right", cell: (node) => time(node, "b") },
    {
      key: "change",
      head: <b>Change</b>,
      width: "84px",
      align: "right",
      cell: (node) => <span className={SIGNS[verdict(node, noise)][1]}>{signed(node.b.total - node.a.total)}</span>,
    },
    {
      key: "bar",
      head: (
        <span className="compare-scale">
          A <i className="compare-key-a" /> B <i className="compare-key-b" />
          <span>0 to {duration(top)}</span>
        </span>
      ),
      width: "minmax(140px, 4fr)",
      cell: (node) => <Bars node={node} top={top} />,
      className: "hide-small",
    },
  ];
}

function Name({ node, crosses, sign }: { node: DiffNode; crosses: boolean; sign: readonly [string, string, string] }) {
  const failed = node.b.errors > 0;
  const gone = node.b.calls === 0;
  return (
    <span className="compare-name">
      <span className={`compare-sign ${sign[1]}`} role="img" aria-label={sign[2]}>
        {sign[0]}
      </span>
      <span className="compare-indent" style={{ width: Math.min(node.depth, INDENT_MAX) * INDENT }} />
      <ServiceSwatch name={node.service} />
      {crosses && (
        <b className="soft">
          <Text value={node.service} />
        </b>
      )}
      <span className={`cut${failed ? " compare-failed" : ""}${gone ? " compare-gone" : ""}`}>
        <Text value={node.operation} />
      </span>
    </span>
  );
}

function Bars({ node, top }: { node: DiffNode; top: number }) {
  const width = (nano: number) => `${(nano / top) * 100}%`;
  return (
    <span className="compare-bars">
      {node.b.calls > 0 && (
        <i className={`compare-b slot-${slotOf(node.service)}`} style={{ width: width(node.b.total) }} />
      )}
      {node.a.calls > 0 && <i className="compare-a" style={{ width: width(node.a.total) }} />}
    </span>
  );
}
