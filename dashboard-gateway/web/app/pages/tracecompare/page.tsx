// Two traces side by side: one time scale, the sentence that adds up to the difference, the merged tree with what changed.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { traceQuery } from "../../api/trace.ts";
import { useKeys } from "../../app/keys.ts";
import { one, useParams, useSetParams } from "../../app/location.ts";
import { Button, Segmented } from "../../design/controls.tsx";
import { plural } from "../../design/format.ts";
import { Foot, PageHead } from "../../design/page.tsx";
import { ServiceView } from "../../design/service.tsx";
import { Busy, Empty, Partial, Problem } from "../../design/states.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { callTree } from "../../trace/call-tree.ts";
import { diffTrees, explain, noiseOf, verdict } from "../../trace/diff.ts";
import { DropZone } from "../trace/page.tsx";
import { Sentence } from "./sentence.tsx";
import { SideRow } from "./side.tsx";
import { DiffTable } from "./table.tsx";
import "./compare.css";

export function TraceComparePage({ left, right }: { left: string; right: string }) {
  const a = useQuery(traceQuery(left, false));
  const b = useQuery(traceQuery(right, false));
  const navigate = useNavigate();
  const swap = () => void navigate({ to: `/trace/${right}...${left}` as never, search: true as never });
  const failed = a.isError ? a : b.isError ? b : null;
  const [changedOnly, setChangedOnly] = useChangedOnly();
  return (
    <DropZone>
      <PageHead
        title="Compare two traces"
        knobs={
          <>
            <Button onClick={swap} title="x">
              Swap A and B
            </Button>
            <Segmented
              label="Rows"
              value={changedOnly ? "changed" : "all"}
              choices={[
                { value: "changed", label: "Changed only" },
                { value: "all", label: "Everything" },
              ]}
              onChange={(value) => setChangedOnly(value === "changed")}
            />
          </>
        }
      />
      <Busy busy={a.isFetching || b.isFetching} words="reading both traces" />
      {failed !== null && (
        <Problem
          what={failed === a ? `Trace A (${left})` : `Trace B (${right})`}
          error={failed.error}
          onRetry={() => void failed.refetch()}
        />
      )}
      {a.data !== undefined && b.data !== undefined && (
        <Comparison
          a={a.data}
          b={b.data}
          left={left}
          right={right}
          swap={swap}
          changedOnly={changedOnly}
          onShowAll={() => setChangedOnly(false)}
        />
      )}
    </DropZone>
  );
}

/** Part of the URL, like everything that decides what is seen. */
function useChangedOnly(): [boolean, (on: boolean) => void] {
  const params = useParams();
  const setParams = useSetParams();
  return [one(params, "rows") !== "all", (on) => setParams({ rows: on ? undefined : "all" }, true)];
}

interface Props {
  a: Analysis;
  b: Analysis;
  left: string;
  right: string;
  swap: () => void;
  changedOnly: boolean;
  onShowAll: () => void;
}

const treeOf = (analysis: Analysis) =>
  callTree(analysis.trace, { self: analysis.self, critical: analysis.path.perRow });

function Comparison({ a, b, left, right, swap, changedOnly, onShowAll }: Props) {
  const navigate = useNavigate();
  const [hint, setHint] = useState<number | null>(null);
  const length = Math.max(a.trace.durationNano, b.trace.durationNano, 1);
  const nodes = useMemo(() => diffTrees(treeOf(a), treeOf(b)), [a, b]);
  const noise = noiseOf(a.trace.durationNano, b.trace.durationNano);
  const terms = useMemo(() => explain(nodes, a.trace.durationNano, b.trace.durationNano), [nodes, a, b]);
  const shown = useMemo(
    () => (changedOnly ? nodes.filter((node) => verdict(node, noise) !== "same") : nodes),
    [nodes, changedOnly, noise],
  );
  const names = useMemo(() => [...new Set([...a.trace.services, ...b.trace.services])], [a, b]);
  useKeys("Compare", [
    { keys: "a", does: "open trace A", run: () => void navigate({ to: `/trace/${left}` as never }) },
    { keys: "b", does: "open trace B", run: () => void navigate({ to: `/trace/${right}` as never }) },
    { keys: "x", does: "swap A and B", run: swap },
  ]);
  const hidden = nodes.length - shown.length;
  return (
    <ServiceView names={names}>
      <div className="compare-sides">
        <SideRow letter="A" id={left} analysis={a} length={length} names={names} />
        <SideRow letter="B" id={right} analysis={b} length={length} names={names} />
      </div>
      <Partial missing={[...a.trace.partial, ...b.trace.partial]} />
      <Sentence
        terms={terms}
        durationA={a.trace.durationNano}
        durationB={b.trace.durationNano}
        onPick={(term) => setHint(term.node === null ? null : shown.indexOf(term.node))}
      />
      {shown.length === 0 ? (
        <Empty title="Nothing differs.">
          <p>
            Both traces make the same calls in the same time.{" "}
            <Button onClick={onShowAll}>Show all {nodes.length} operations</Button>
          </p>
        </Empty>
      ) : (
        <DiffTable
          nodes={shown}
          noise={noise}
          length={length}
          hint={hint}
          left={left}
          right={right}
          traceA={a.trace}
          traceB={b.trace}
        />
      )}
      <Foot
        end={
          <span className="hide-small">
            <kbd>j</kbd> <kbd>k</kbd> next change · <kbd>a</kbd> <kbd>b</kbd> open trace · <kbd>x</kbd> swap
          </span>
        }
      >
        <span>
          <b className="warn">+</b> only in B
        </span>
        <span>
          <b className="better">−</b> only in A
        </span>
        <span>
          <span className="warn">▲</span> slower or more calls
        </span>
        <span>
          <span className="better">▼</span> faster or fewer calls
        </span>
        {hidden > 0 && (
          <span>
            {plural(hidden, "operation")} without a change {hidden === 1 ? "is" : "are"} hidden
          </span>
        )}
      </Foot>
    </ServiceView>
  );
}
