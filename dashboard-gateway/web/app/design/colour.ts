// Service colours: hue is a promise. A name has the same slot in every view, session and picture (DESIGN.md).

/** How many hues there are: CSS variables --c0 … --c11. */
export const SLOTS = 12;

const OFFSET_BASIS = 179805;
const PRIME = 0x01000193;
const utf8 = new TextEncoder();

/** FNV-1a over the UTF-8 name with an offset basis of our own, folded once, mod 12. */
export function slotOf(name: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of utf8.encode(name)) hash = Math.imul(hash ^ byte, PRIME);
  hash ^= hash >>> 15;
  return (hash >>> 0) % SLOTS;
}

/** A service's look in one view: its slot, and whether its swatch is split because an earlier name has the same slot. */
export interface Swatch {
  readonly slot: number;
  readonly split: boolean;
}

/** Swatches of all services of one view: of two names in one slot the later in byte order is split. */
export function swatches(names: Iterable<string>): Map<string, Swatch> {
  const out = new Map<string, Swatch>();
  const taken = new Set<number>();
  for (const name of [...new Set(names)].sort(byBytes)) {
    const slot = slotOf(name);
    out.set(name, { slot, split: taken.has(slot) });
    taken.add(slot);
  }
  return out;
}

function byBytes(a: string, b: string): number {
  const left = utf8.encode(a);
  const right = utf8.encode(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
