// @vitest-environment node
import { describe, expect, it } from "vitest";
import { writeSkeleton } from "../dev/skeleton-writer.ts";
import { largeTrace, submission, traceOf } from "../dev/trace-fixture.ts";
import { analyse } from "./analysis.ts";
import { callTree, flatten } from "./call-tree.ts";
import { criticalPath, selfTimes } from "./critical.ts";
import { diffTrees, explain, noiseOf, verdict } from "./diff.ts";
import { findLocally, highlights, mergeRows, nextMatch, parseFind } from "./find.ts";
import {
  errorPath,
  firstCause,
  foldAll,
  foldOneLevel,
  reveal,
  type Shape,
  unfoldOneLevel,
  visibleRows,
} from "./rows.ts";
import { groupName, membersOf, similarSiblings } from "./similar.ts";
import { readSkeleton, SkeletonError } from "./skeleton.ts";
import { byService, byServiceAndOperation, byValue, statistics } from "./statistics.ts";
import { ancestorsOf, mainRoot, operationOf, rowOfSpanId, serviceOf, spanIdOf, type Trace } from "./trace.ts";

const whole: Shape = { folded: new Set(), grouped: false, open: new Set(), services: null, only: null };
const rowNamed = (trace: Trace, name: string) =>
  Array.from({ length: trace.count }, (_, row) => row).find((row) => operationOf(trace, row) === name) ?? -1;

describe("reader of skeletons", () => {
  it("gives back what was written", () => {
    const trace = submission();
    const read = readSkeleton(writeSkeleton(trace));
    expect(read).toEqual({ ...trace, version: "0000000000000001" });
    expect(serviceOf(read, 0)).toBe("yc-web");
  });

  it("refuses every truncation", () => {
    const full = writeSkeleton(traceOf([{ service: "a", operation: "b", from: 0, to: 1 }]));
    for (let length = 0; length < full.byteLength - 7; length++) {
      expect(() => readSkeleton(full.slice(0, length)), `${length} bytes`).toThrow(SkeletonError);
    }
  });

  const lies: [string, (header: Record<string, unknown>) => void][] = [
    [
      "more spans than columns hold",
      (header) => {
        header["spans"] = 1000;
      },
    ],
    [
      "fewer services than rows name",
      (header) => {
        header["services"] = [];
      },
    ],
    [
      "an operation that is no text",
      (header) => {
        header["operations"] = [1];
      },
    ],
    [
      "a column beyond the end",
      (header) => {
        for (const column of header["columns"] as { offset: number }[]) column.offset += 1 << 20;
      },
    ],
    [
      "a column off its alignment",
      (header) => {
        for (const column of header["columns"] as { offset: number }[]) column.offset += 4;
      },
    ],
    [
      "a column of another type",
      (header) => {
        for (const column of header["columns"] as { type: string }[]) column.type = "u64";
      },
    ],
    [
      "no columns",
      (header) => {
        delete header["columns"];
      },
    ],
    [
      "a start that is no time",
      (header) => {
        header["start"] = "soon";
      },
    ],
    [
      "a negative count",
      (header) => {
        header["spans"] = -1;
      },
    ],
  ];
  it.each(lies)("refuses a header with %s", (_, lie) => {
    expect(() => readSkeleton(writeSkeleton(submission(), lie))).toThrow(SkeletonError);
  });

  const broken: [string, (trace: Trace) => void][] = [
    [
      "a parent that comes later",
      (trace) => {
        trace.columns.parent[1] = 5;
      },
    ],
    [
      "a subtree beyond the end",
      (trace) => {
        trace.columns.descendants[3] = 10_000;
      },
    ],
    [
      "a subtree beyond its parent's",
      (trace) => {
        trace.columns.descendants[2] = 50;
      },
    ],
    [
      "a wrong count of children",
      (trace) => {
        trace.columns.children[0] = 9;
      },
    ],
    [
      "a duration that is no number",
      (trace) => {
        trace.columns.duration[4] = Number.NaN;
      },
    ],
    [
      "a start at infinity",
      (trace) => {
        trace.columns.start[4] = Number.POSITIVE_INFINITY;
      },
    ],
    [
      "a service that does not exist",
      (trace) => {
        trace.columns.service[7] = 99;
      },
    ],
  ];
  it.each(broken)("refuses rows with %s", (_, damage) => {
    const trace = submission();
    damage(trace);
    expect(() => readSkeleton(writeSkeleton(trace))).toThrow(SkeletonError);
  });
});

describe("critical path and self time", () => {
  const parallel = traceOf([
    {
      service: "a",
      operation: "root",
      from: 0,
      to: 100,
      calls: [
        { service: "b", operation: "short", from: 10, to: 40 },
        { service: "b", operation: "long", from: 10, to: 80 },
        { service: "b", operation: "late", from: 85, to: 120 },
      ],
    },
  ]);

  it("self time is what no child covers, overlap counted once", () => {
    expect([...selfTimes(parallel)].map((nano) => nano / 1e6)).toEqual([15, 30, 70, 35]);
  });

  it("goes through the child that ended last, clipped to its parent", () => {
    const path = criticalPath(
      traceOf([
        {
          service: "a",
          operation: "root",
          from: 0,
          to: 100,
          calls: [
            { service: "b", operation: "short", from: 10, to: 40 },
            { service: "b", operation: "long", from: 12, to: 80 },
            { service: "b", operation: "late", from: 85, to: 120 },
          ],
        },
      ]),
    );
    const pieces = [...path.row].map((row, i) => [row, (path.from[i] ?? 0) / 1e6, (path.to[i] ?? 0) / 1e6]);
    // The trace ends with the overflowing child at 120; before the long child began the trace waited for the short one.
    expect(pieces).toEqual([
      [0, 0, 10],
      [1, 10, 12],
      [2, 12, 80],
      [0, 80, 85],
      [3, 85, 100],
    ]);
  });

  it("adds up to the duration of a trace in which something always runs", () => {
    const trace = submission();
    const sum = criticalPath(trace).perRow.reduce((total, nano) => total + nano, 0);
    expect(sum).toBeCloseTo(trace.durationNano, -1);
  });

  it("ends on zero durations, equal starts and a chain of 2,000", () => {
    let chain = { service: "a", operation: "leaf", from: 5, to: 5 } as Parameters<typeof traceOf>[0][number];
    for (let i = 0; i < 2_000; i++)
      chain = { service: "a", operation: "link", from: 5, to: 5, calls: [chain, chain].slice(0, 1) };
    expect(criticalPath(traceOf([chain])).row.length).toBe(0);
    const deep = largeTrace(20_000);
    expect(criticalPath(deep).perRow.every((nano) => nano >= 0)).toBe(true);
  });
});

describe("visible rows", () => {
  const trace = submission();
  const groups = similarSiblings(trace);

  it("shows all rows in waterfall order", () => {
    const rows = visibleRows(trace, groups, whole);
    expect([...rows.span]).toEqual(Array.from({ length: trace.count }, (_, row) => row));
    expect([...rows.depth]).toEqual([...trace.columns.depth]);
  });

  it("folds a subtree and remembers what hides a row", () => {
    const api = rowNamed(trace, "POST /v1/submissions");
    const rows = visibleRows(trace, groups, { ...whole, folded: new Set([api]) });
    expect(rows.count).toBe(trace.count - (trace.columns.descendants[api] ?? 0));
    expect(rows.position[api + 3]).toBe(rows.position[api]);
  });

  it("puts similar siblings into one row, and shows them below it when it is opened", () => {
    const closed = visibleRows(trace, groups, { ...whole, grouped: true });
    const update = rowNamed(trace, "UPDATE test_results");
    const group = groups.of[update] ?? -1;
    expect(membersOf(groups, group).length).toBe(24);
    expect(closed.group[closed.position[update] ?? -1]).toBe(group);
    const opened = visibleRows(trace, groups, { ...whole, grouped: true, open: new Set([group]) });
    expect(opened.count).toBe(closed.count + 24);
    expect(new Set(opened.position).size).toBe(new Set(closed.position).size + 23);
  });

  it("never hides an error in a group", () => {
    const rows = visibleRows(trace, groups, { ...whole, grouped: true });
    const shown = new Set([...rows.span].filter((_, at) => rows.group[at] === -1));
    for (const row of analyse(trace).errors) expect(shown.has(row)).toBe(true);
  });

  it("names a group after the range of its numbers", () => {
    const group = groups.of[rowNamed(trace, "case 01")] ?? -1;
    expect(groupName(trace, membersOf(groups, group))).toBe("case 01–11");
  });

  it("takes services out and hangs their children onto the next shown ancestor", () => {
    const keep = new Set([trace.services.indexOf("yc-web"), trace.services.indexOf("postgres")]);
    const rows = visibleRows(trace, groups, { ...whole, services: keep });
    const users = rowNamed(trace, "SELECT users");
    expect(rows.depth[rows.position[users] ?? -1]).toBe(2);
    expect(rows.position[rowNamed(trace, "POST /verify")]).toBe(-1);
  });

  it("shows descendants of group members whose service was taken out", () => {
    const keep = new Set([trace.services.indexOf("redis")]);
    const rows = visibleRows(trace, groups, { ...whole, grouped: true, services: keep });
    const names = [...rows.span].map((row) => operationOf(trace, row));
    expect(names.filter((name) => name === "SET case:result").length).toBe(11);
  });

  it("opens what hides a row", () => {
    const exec = rowNamed(trace, "rustc --release");
    const folded: Shape = { ...whole, grouped: true, folded: foldAll(trace) };
    const shape = reveal(trace, groups, folded, exec);
    const rows = visibleRows(trace, groups, shape);
    expect(rows.span[rows.position[exec] ?? -1]).toBe(exec);
  });

  it("folds and unfolds level by level", () => {
    const once = foldOneLevel(trace, new Set());
    const deepest = Math.max(...[...once].map((row) => trace.columns.depth[row] ?? 0));
    expect([...once].every((row) => trace.columns.depth[row] === deepest)).toBe(true);
    expect(unfoldOneLevel(trace, once).size).toBe(0);
  });

  it("reduces a trace to its error path", () => {
    const rows = visibleRows(trace, groups, { ...whole, only: errorPath(trace) });
    expect([...rows.span].map((row) => operationOf(trace, row)).slice(-3)).toEqual([
      "case 07",
      "sandbox.exec",
      "report",
    ]);
    expect(operationOf(trace, firstCause(trace) ?? -1)).toBe("sandbox.exec");
  });

  it("holds twenty thousand spans", () => {
    const large = largeTrace(20_000);
    const analysis = analyse(readSkeleton(writeSkeleton(large)));
    const rows = visibleRows(large, analysis.groups, { ...whole, grouped: true });
    expect(rows.count).toBeGreaterThan(10_000);
  });
});

describe("find", () => {
  const trace = submission();

  it("reads words, phrases and exclusions", () => {
    expect(parseFind('redis "INSERT Outbox" -http.url  -"db statement"')).toEqual({
      words: ["redis", "insert outbox"],
      excluded: ["http.url", "db statement"],
    });
    expect(parseFind('  - "" "unclosed x')).toEqual({ words: ["-", '"unclosed', "x"], excluded: [] });
  });

  it("matches any of the words in services, operations and ids", () => {
    const both = findLocally(trace, parseFind('auth-service "INSERT outbox"'));
    expect([...both].map((row) => operationOf(trace, row))).toEqual(["POST /verify", "jwt.verify", "INSERT outbox"]);
    expect([...findLocally(trace, parseFind(spanIdOf(trace, 17)))]).toEqual([17]);
    expect(findLocally(trace, parseFind("-http.url")).length).toBe(0);
  });

  it("goes round through the matches", () => {
    expect(nextMatch([3, 8], 8, 1)).toBe(3);
    expect(nextMatch([3, 8], 3, -1)).toBe(8);
    expect(nextMatch([3, 8], 5, 1)).toBe(8);
    expect(nextMatch([], 5, 1)).toBe(null);
    expect([...mergeRows([1, 4, 9], [2, 4])]).toEqual([1, 2, 4, 9]);
  });

  it("marks the words in a name", () => {
    expect(highlights("UPDATE test_results", ["test_results", "date"]).map((piece) => piece.text)).toEqual([
      "UP",
      "DATE",
      " ",
      "test_results",
    ]);
    expect(highlights("İx", ["x"])).toEqual([{ text: "İx", hit: false }]);
  });

  it("finds the row of an id", () => {
    expect(rowOfSpanId(trace, spanIdOf(trace, 40))).toBe(40);
    expect(rowOfSpanId(trace, "zz")).toBe(null);
    expect(ancestorsOf(trace, 3)).toEqual([2, 1, 0]);
    expect(mainRoot(trace)).toBe(0);
  });
});

describe("statistics", () => {
  const analysis = analyse(submission());
  const measures = { self: analysis.self, critical: analysis.path.perRow };

  it("sums total and self time by service and operation", () => {
    const rows = statistics(analysis.trace, measures, byServiceAndOperation(analysis.trace));
    const update = rows.find((one) => one.key === "UPDATE test_results");
    expect(update).toMatchObject({ service: "postgres", count: 24, errors: 0 });
    expect(update?.duration).toEqual({ total: 24 * 7e6, avg: 7e6, min: 7e6, max: 7e6 });
    expect(rows.reduce((sum, one) => sum + one.share, 0)).toBeCloseTo(1, 9);
  });

  it("counts every span once, whatever it is grouped by", () => {
    const odd = byValue((row) => (row % 2 === 0 ? "even" : null), "–");
    for (const grouping of [byService(analysis.trace), odd]) {
      expect(statistics(analysis.trace, measures, grouping).reduce((sum, one) => sum + one.count, 0)).toBe(
        analysis.trace.count,
      );
    }
  });
});

describe("comparison", () => {
  const shapeOf = (trace: Trace) => {
    const { self, path } = analyse(trace);
    return callTree(trace, { self, critical: path.perRow });
  };
  const b = submission();
  const a = traceOf([
    {
      service: "yc-web",
      operation: "POST /submit",
      from: 0,
      to: 900,
      calls: [
        { service: "yc-web", operation: "csrf.check", from: 1, to: 3 },
        { service: "yc-web", operation: "render page", from: 880, to: 899 },
      ],
    },
  ]);

  it("weighs nodes of the merged tree by their self time", () => {
    const roots = shapeOf(b);
    const self = analyse(b).self.reduce((sum, nano) => sum + nano, 0);
    expect(roots[0]?.weight).toBeCloseTo(self, -1);
    expect(flatten(roots).reduce((sum, node) => sum + node.count, 0)).toBe(b.count);
  });

  it("matches nodes by their way from the root", () => {
    const nodes = diffTrees(shapeOf(a), shapeOf(b));
    const noise = noiseOf(a.durationNano, b.durationNano);
    const of = (name: string) => nodes.filter((node) => node.operation === name).map((node) => verdict(node, noise));
    expect(of("POST /submit")).toEqual(["more"]);
    expect(of("render page")).toEqual(["removed"]);
    expect(of("render error page")).toEqual(["added"]);
    expect(of("csrf.check")).toEqual(["same"]);
    expect(nodes.find((node) => node.operation.startsWith("case"))?.b.calls).toBe(11);
  });

  it("finds nothing between a trace and itself", () => {
    const nodes = diffTrees(shapeOf(b), shapeOf(b));
    expect(nodes.every((node) => verdict(node, noiseOf(1, 1)) === "same")).toBe(true);
    expect(explain(nodes, b.durationNano, b.durationNano)).toEqual([]);
  });

  it("explains the difference in terms that add up to it", () => {
    const terms = explain(diffTrees(shapeOf(a), shapeOf(b)), a.durationNano, b.durationNano);
    const sum = terms.reduce((total, term) => total + term.change, 0);
    expect(Math.abs(sum - (b.durationNano - a.durationNano))).toBeLessThan(1000);
    expect(terms.some((term) => term.operation === "sandbox.exec")).toBe(true);
  });
});
