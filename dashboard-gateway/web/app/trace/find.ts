// In-trace find, in Jaeger's language: words are OR-ed, "phrases" stay together, `-key` leaves that attribute out.
// Names, services and ids are matched here; attributes are not in the skeleton and are asked from the server.

import { spanIdOf, type Trace } from "./trace.ts";

export interface FindQuery {
  readonly words: readonly string[];
  readonly excluded: readonly string[];
}

export function parseFind(text: string): FindQuery {
  const words: string[] = [];
  const excluded: string[] = [];
  for (const hit of text.matchAll(/(-?)(?:"([^"]*)"|(\S+))/g)) {
    const word = (hit[2] ?? hit[3] ?? "").toLowerCase();
    if (word === "") continue;
    if (hit[1] === "-") excluded.push(word);
    else words.push(word);
  }
  return { words, excluded };
}

/** Rows whose service, operation or id holds one of the words, ascending. */
export function findLocally(trace: Trace, query: FindQuery): Uint32Array {
  if (query.words.length === 0) return new Uint32Array();
  const { service, operation, spanId } = trace.columns;
  const holds = (name: string) => {
    const lower = name.toLowerCase();
    return query.words.some((word) => lower.includes(word));
  };
  const services = trace.services.map(holds);
  const operations = trace.operations.map(holds);
  const ids = query.words.filter((word) => /^[0-9a-f]{16}$/.test(word));
  const lows = new Set(ids.map((id) => Number.parseInt(id.slice(8), 16)));
  const out: number[] = [];
  for (let row = 0; row < trace.count; row++) {
    const named = services[service[row] as number] || operations[operation[row] as number];
    if (named || (lows.has(spanId[row * 2 + 1] as number) && ids.includes(spanIdOf(trace, row)))) out.push(row);
  }
  return Uint32Array.from(out);
}

/** Both lists in one, ascending, each row once. */
export function mergeRows(a: ArrayLike<number>, b: ArrayLike<number>): Uint32Array {
  const out = new Uint32Array(a.length + b.length);
  let length = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const left = a[i] ?? Number.POSITIVE_INFINITY;
    const right = b[j] ?? Number.POSITIVE_INFINITY;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
    out[length] = Math.min(left, right);
    length += 1;
  }
  return out.subarray(0, length);
}

/** Index of the first entry that is not below `row`. */
export function lowerBound(sorted: ArrayLike<number>, row: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function includesRow(sorted: ArrayLike<number>, row: number): boolean {
  return sorted[lowerBound(sorted, row)] === row;
}

/** The match after (or before) a row, going round. */
export function nextMatch(matches: ArrayLike<number>, from: number | null, step: 1 | -1): number | null {
  if (matches.length === 0) return null;
  if (from === null) return (step === 1 ? matches[0] : matches[matches.length - 1]) ?? null;
  const at = step === 1 ? lowerBound(matches, from + 1) : lowerBound(matches, from) - 1;
  return matches[(at + matches.length) % matches.length] ?? null;
}

/** Where the words stand in a name, for marking: pieces that are hits and pieces that are not. */
export function highlights(name: string, words: readonly string[]): { text: string; hit: boolean }[] {
  if (words.length === 0) return [{ text: name, hit: false }];
  const lower = name.toLowerCase();
  // Lower-casing may change the length (İ); then marks would be shifted, so there are none.
  if (lower.length !== name.length) return [{ text: name, hit: false }];
  const out: { text: string; hit: boolean }[] = [];
  let at = 0;
  while (at < name.length) {
    let found = -1;
    let length = 0;
    for (const word of words) {
      const index = lower.indexOf(word, at);
      if (index >= 0 && (found < 0 || index < found || (index === found && word.length > length))) {
        found = index;
        length = word.length;
      }
    }
    if (found < 0) break;
    if (found > at) out.push({ text: name.slice(at, found), hit: false });
    out.push({ text: name.slice(found, found + length), hit: true });
    at = found + length;
  }
  if (at < name.length) out.push({ text: name.slice(at), hit: false });
  return out;
}
