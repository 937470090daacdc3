// The box drawn in the scatter plot, as the URL holds it: `fromMs,toMs,fromNano,toNano`.
import type { Box } from "../../canvas/scatter.ts";

export function boxText(box: Box): string {
  return [box.fromMs, box.toMs, box.fromNano, box.toNano].map((value) => Math.round(value)).join(",");
}

export function boxOf(text: string | undefined): Box | null {
  const [fromMs, toMs, fromNano, toNano] = (text ?? "").split(",").map(Number);
  if (fromMs === undefined || toMs === undefined || fromNano === undefined || toNano === undefined) return null;
  if (![fromMs, toMs, fromNano, toNano].every((value) => Number.isFinite(value) && value >= 0)) return null;
  return fromMs < toMs && fromNano <= toNano ? { fromMs, toMs, fromNano, toNano } : null;
}
