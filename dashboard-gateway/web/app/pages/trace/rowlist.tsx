// The rows' text: real elements for what is on screen, so that it can be selected, searched and read aloud.
import { memo } from "react";
import { count, duration } from "../../design/format.ts";
import { visible } from "../../design/hostile.ts";
import { Text } from "../../design/text.tsx";
import type { Analysis } from "../../trace/analysis.ts";
import { highlights, includesRow } from "../../trace/find.ts";
import type { VisibleRows } from "../../trace/rows.ts";
import { groupName, membersOf, NO_GROUP } from "../../trace/similar.ts";
import { durationOf, hasWarnings, isError, isOrphan, operationOf, parentOf, serviceOf } from "../../trace/trace.ts";
import type { Look } from "./looks.ts";

export interface RowContext {
  readonly analysis: Analysis;
  readonly rows: VisibleRows;
  readonly looks: readonly Look[];
  readonly folded: ReadonlySet<number>;
  readonly open: ReadonlySet<number>;
  readonly matches: Uint32Array;
  readonly words: readonly string[];
  readonly rowHeight: number;
  readonly stacked: boolean;
}

interface RowProps {
  context: RowContext;
  position: number;
  top: number;
  selected: boolean;
}

/** Indents beyond this would push every name out of the column. */
const INDENT_MAX = 24;

export const SpanRow = memo(function SpanRow({ context, position, top, selected }: RowProps) {
  const { analysis, rows, looks } = context;
  const { trace } = analysis;
  const row = rows.span[position] as number;
  const group = rows.group[position] as number;
  const members = group === NO_GROUP ? null : membersOf(analysis.groups, group);
  const depth = rows.depth[position] as number;
  const kids = trace.columns.children[row] as number;
  const expandable = members !== null || kids > 0;
  const expanded = members !== null ? context.open.has(group) : !context.folded.has(row);
  const error = members === null && isError(trace, row);
  const service = serviceOf(trace, row);
  const parent = parentOf(trace, row);
  const crosses = parent === null || trace.columns.service[parent] !== trace.columns.service[row];
  const name = members === null ? operationOf(trace, row) : groupName(trace, members);
  const look = looks[trace.columns.service[row] as number];
  const took = duration(durationOf(trace, row));
  const hit = includesRow(context.matches, row);
  const orphan = isOrphan(trace, row);
  const label = `${visible(service)} ${visible(name)}, ${members === null ? took : `${members.length} similar`}${error ? ", error" : ""}${orphan ? ", parent missing" : ""}`;
  return (
    <div
      role="treeitem"
      id={`row-${position}`}
      data-position={position}
      aria-level={depth + 1}
      aria-selected={selected}
      aria-label={label}
      {...(expandable ? { "aria-expanded": expanded } : {})}
      tabIndex={selected ? 0 : -1}
      className={`span-row${selected ? " span-row-on" : ""}`}
      style={{ transform: `translateY(${top}px)`, height: context.rowHeight }}
    >
      <div className="span-name">
        <span
          className={`span-kids${expandable && !expanded ? " span-kids-folded" : ""}`}
          data-fold={expandable || undefined}
        >
          {members !== null ? count(members.length) : kids > 0 ? count(kids) : ""}
        </span>
        <span className="span-indent" style={{ width: Math.min(depth, INDENT_MAX) * (context.stacked ? 6 : 9) }} />
        <i
          className={`span-rail slot-${look?.slot ?? 0}${look?.split ? " swatch-split" : ""}${orphan ? " span-rail-orphan" : ""}`}
        />
        {depth > INDENT_MAX && <span className="span-depth">{depth}</span>}
        {crosses && (
          <b className="span-service">
            <Text value={service} />
          </b>
        )}
        <span className={`span-operation${error ? " span-error" : ""}${hit ? " span-hit" : ""}`}>
          {hit ? <Marked name={name} words={context.words} /> : <Text value={name} />}
        </span>
        {members !== null && <span className="span-similar">× {count(members.length)} similar</span>}
        {hasWarnings(trace, row) && (
          <span className="span-warning" title="has warnings">
            △
          </span>
        )}
        {context.stacked && <span className="span-took">{took}</span>}
      </div>
    </div>
  );
});

function Marked({ name, words }: { name: string; words: readonly string[] }) {
  let at = 0;
  return highlights(name, words).map((piece) => {
    at += piece.text.length;
    if (piece.text === "") return null;
    const text = <Text key={at} value={piece.text} />;
    return piece.hit ? <mark key={at}>{text}</mark> : text;
  });
}
