// The flame graph: nodes of the merged call tree, width by self time (their own and of all below), root at the top.

import { duration } from "../design/format.ts";
import { visible } from "../design/hostile.ts";
import type { CallNode } from "../trace/call-tree.ts";
import type { Ink } from "./ink.ts";

export const FLAME_ROW = 18;

export interface FlameBox {
  readonly node: CallNode;
  readonly x: number;
  readonly width: number;
  /** Rows below the top. */
  readonly level: number;
}

/** Narrower boxes are left out together with everything below them. */
const WIDTH_MIN = 0.5;

/**
 * Boxes of the part that hangs below `focus` (all when null), within `width` pixels. Ancestors of the focus stand above it at
 * full width, so that one can go back up.
 */
export function layoutFlame(roots: readonly CallNode[], focus: CallNode | null, width: number): FlameBox[] {
  const out: FlameBox[] = [];
  const above: CallNode[] = [];
  for (let at = focus?.parent ?? null; at !== null; at = at.parent) above.unshift(at);
  for (const [level, node] of above.entries()) out.push({ node, x: 0, width, level });
  const tops = focus === null ? roots : [focus];
  const total = tops.reduce((sum, node) => sum + node.weight, 0);
  if (total <= 0) return out;
  const stack: FlameBox[] = [];
  const place = (nodes: readonly CallNode[], from: number, level: number, scale: number) => {
    let x = from;
    for (const node of nodes) {
      const wide = node.weight * scale;
      if (wide >= WIDTH_MIN) stack.push({ node, x, width: wide, level });
      x += wide;
    }
  };
  place(tops, 0, above.length, width / total);
  for (let box = stack.pop(); box !== undefined; box = stack.pop()) {
    out.push(box);
    if (box.node.weight > 0) place(box.node.children, box.x, box.level + 1, box.width / box.node.weight);
  }
  return out;
}

export function flameHit(boxes: readonly FlameBox[], x: number, y: number): FlameBox | null {
  const level = Math.floor(y / FLAME_ROW);
  return boxes.find((box) => box.level === level && x >= box.x && x < box.x + box.width) ?? null;
}

export interface FlameScene {
  readonly boxes: readonly FlameBox[];
  readonly slotOf: (service: string) => number;
  readonly words: readonly string[];
  readonly hovered: FlameBox | null;
  /** Pixels that are scrolled away at the top. */
  readonly offset: number;
}

export function paintFlame(
  g: CanvasRenderingContext2D,
  _width: number,
  height: number,
  scene: FlameScene,
  ink: Ink,
): void {
  g.font = `11px ${ink.sans}`;
  g.textBaseline = "middle";
  for (const box of scene.boxes) {
    const y = box.level * FLAME_ROW - scene.offset;
    if (y + FLAME_ROW < 0 || y > height) continue;
    const named =
      scene.words.length > 0 &&
      scene.words.some((word) => `${box.node.service} ${box.node.operation}`.toLowerCase().includes(word));
    g.globalAlpha = scene.words.length > 0 && !named ? 0.35 : 1;
    g.fillStyle = ink.slots[scene.slotOf(box.node.service)] ?? ink.ink3;
    // A tint with a full rail: text on it stays ink on paper in both themes.
    g.globalAlpha *= 0.28;
    g.fillRect(box.x, y, Math.max(0.5, box.width - 1), FLAME_ROW - 1);
    g.globalAlpha /= 0.28;
    g.fillRect(box.x, y, Math.min(3, box.width), FLAME_ROW - 1);
    if (box.node.errors > 0) {
      g.fillStyle = ink.err;
      g.fillRect(box.x + Math.max(0, box.width - 4), y, Math.min(3, box.width), FLAME_ROW - 1);
    }
    if (box.width > 30) label(g, box, y, ink);
    if (box === scene.hovered || named) {
      g.globalAlpha = 1;
      g.strokeStyle = named ? ink.warn : ink.ink;
      g.strokeRect(box.x + 0.5, y + 0.5, Math.max(1, box.width - 2), FLAME_ROW - 2);
    }
    g.globalAlpha = 1;
  }
}

function label(g: CanvasRenderingContext2D, box: FlameBox, y: number, ink: Ink): void {
  const { node } = box;
  const crosses = node.parent === null || node.parent.service !== node.service;
  const name = `${crosses ? `${visible(node.service)}  ` : ""}${visible(node.operation)}`;
  const tail = `  ${duration(node.weight)}${node.count > 1 ? ` × ${node.count}` : ""}`;
  g.save();
  g.beginPath();
  g.rect(box.x + 6, y, box.width - 12, FLAME_ROW);
  g.clip();
  g.fillStyle = node.errors > 0 ? ink.err : ink.ink;
  g.fillText(name, box.x + 7, y + FLAME_ROW / 2);
  const wide = g.measureText(name).width;
  g.fillStyle = ink.ink3;
  if (wide + 20 < box.width) g.fillText(tail, box.x + 7 + wide, y + FLAME_ROW / 2);
  g.restore();
}
