// How services look in one trace: slot and split of each service, by its index.
import { type Swatch, swatches } from "../../design/colour.ts";
import type { Trace } from "../../trace/trace.ts";

export type Look = Swatch;

export function looksOf(trace: Trace): Look[] {
  const all = swatches(trace.services);
  return trace.services.map((name) => all.get(name) ?? { slot: 0, split: false });
}
