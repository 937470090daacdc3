import { expect, test } from "vitest";
import { around, layOut } from "./layout.ts";

const SIZES = { node: 126, gap: 190, port: 17, height: 36, space: 20 };
const call = (text: string) => {
  const [caller = "", callee = ""] = text.split(">");
  return { caller, callee };
};

function lay(...calls: string[]) {
  const edges = calls.map(call);
  const names = [...new Set(edges.flatMap((edge) => [edge.caller, edge.callee]))];
  const layout = layOut(names, edges, SIZES);
  return { layout, layer: Object.fromEntries(layout.nodes.map((node) => [node.name, node.layer])) };
}

test("callers stand left of what they call", () => {
  const { layer } = lay("web>api", "api>db", "web>db");
  expect(layer).toEqual({ web: 0, api: 1, db: 2 });
});

test("a caller that nobody calls stands right before its first callee", () => {
  const { layer } = lay("web>api", "api>queue", "queue>db", "cron>db");
  expect(layer.cron).toBe(2);
});

test("a cycle is cut and its edge runs back", () => {
  const { layout, layer } = lay("web>api", "api>worker", "worker>api");
  expect(layer).toEqual({ web: 0, api: 1, worker: 2 });
  expect(layout.edges.map((edge) => edge.back)).toEqual([false, false, true]);
});

test("a service that calls itself is laid out", () => {
  const { layout } = lay("web>web");
  expect(layout.edges).toHaveLength(1);
  expect(layout.edges[0]?.back).toBe(true);
});

test("nodes of a column do not overlap and nothing lies above the top", () => {
  const calls = Array.from({ length: 40 }, (_, n) => [`s${n % 7}>t${n}`, `t${n}>u${(n * 13) % 11}`]).flat();
  const { layout } = lay(...calls);
  for (const a of layout.nodes) {
    expect(a.y).toBeGreaterThanOrEqual(0);
    for (const b of layout.nodes) {
      if (a === b || a.layer !== b.layer) continue;
      expect(a.y + a.height <= b.y + 1e-6 || b.y + b.height <= a.y + 1e-6).toBe(true);
    }
  }
});

test("edges that can be drawn without a crossing are", () => {
  const { layout } = lay("a>x", "b>y", "c>z", "a>x");
  const y = Object.fromEntries(layout.nodes.map((node) => [node.name, node.y]));
  const order = (names: string[]) => [...names].sort((one, two) => (y[one] ?? 0) - (y[two] ?? 0)).join("");
  expect(order(["a", "b", "c"]).replace(/a/, "x").replace(/b/, "y").replace(/c/, "z")).toBe(order(["x", "y", "z"]));
});

test("a long edge has a lane in each column that it passes", () => {
  const { layout } = lay("a>b", "b>c", "c>d", "a>d");
  expect(layout.edges[3]?.points).toHaveLength(2 + 2 * 2);
});

test("an edge to a service that is not shown is left out", () => {
  const layout = layOut(["a"], [call("a>b")], SIZES);
  expect(layout.edges).toEqual([]);
});

test("a focus shows callers and callees within its depth, not callers of callees", () => {
  const edges = ["a>b", "b>c", "c>d", "x>c"].map(call);
  expect([...around(edges, "b", 1)].sort()).toEqual(["a", "b", "c"]);
  expect([...around(edges, "b", 2)].sort()).toEqual(["a", "b", "c", "d"]);
});
