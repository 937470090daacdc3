// What the home page says: groups, numbers and sentences out of an overview. No React here.
import type { OverviewNumbers, OverviewService } from "../../api/wire.ts";
import { clockMinute, msOfNanos, type Zone } from "../../design/clock.ts";
import { change, duration, percent, rate } from "../../design/format.ts";
import { visible } from "../../design/hostile.ts";

export type Order = "broken" | "busy" | "name";
export type State = OverviewService["state"];

export interface Group {
  readonly state: State | null;
  readonly title: string;
  readonly services: readonly OverviewService[];
}

export function isOrder(text: string | undefined): text is Order {
  return text === "broken" || text === "busy" || text === "name";
}

const byCalls = (a: OverviewService, b: OverviewService) => b.calls - a.calls || (a.name < b.name ? -1 : 1);
const byName = (a: OverviewService, b: OverviewService) => (a.name < b.name ? -1 : 1);

/** Broken first in three groups; the other orders are one list. `word` is what the compared range is called. */
export function groups(services: readonly OverviewService[], order: Order, filter: string, word: string): Group[] {
  const wanted = filter.trim().toLowerCase();
  const shown = services.filter((service) => service.name.toLowerCase().includes(wanted));
  if (order !== "broken") {
    return [{ state: null, title: "", services: shown.toSorted(order === "busy" ? byCalls : byName) }];
  }
  const titles: readonly (readonly [State, string])[] = [
    ["broken", "Broken"],
    ["slower", word === "" ? "Slower" : `Slower than ${word}`],
    ["usual", "As usual"],
  ];
  return titles
    .map(([state, title]) => ({
      state,
      title,
      // the server has the worst first within a state; what is as usual is ordered by traffic
      services:
        state === "usual"
          ? shown.filter((one) => one.state === state).toSorted(byCalls)
          : shown.filter((one) => one.state === state),
    }))
    .filter((group) => group.services.length > 0);
}

export function share(numbers: Pick<OverviewNumbers, "calls" | "errors">): number | null {
  return numbers.calls > 0 ? numbers.errors / numbers.calls : null;
}

export interface Cell {
  readonly value: string;
  readonly delta: string;
  readonly tone: "" | "err" | "warn" | "better";
}

export interface Cells {
  readonly rate: Cell;
  readonly errors: Cell;
  readonly p95: Cell;
}

/** The three numbers of a row with their change. Colour only where the state says that something is wrong. */
export function cells(service: OverviewService, seconds: number): Cells {
  const { then, state } = service;
  const [errors, errorsThen] = [share(service), then === null ? null : share(then)];
  const loud = state !== "usual";
  const deltaRate = change(service.calls, then?.calls);
  const deltaErrors = change(errors, errorsThen);
  const deltaP95 = change(service.p95Nano, then?.p95Nano);
  const worse = (delta: string) => /^\+|×$/.test(delta);
  return {
    rate: { value: rate(service.calls / seconds), delta: deltaRate, tone: "" },
    errors: {
      value: percent(errors),
      delta: deltaErrors,
      tone:
        state === "broken" &&
        service.why?.kind !== "latency" &&
        service.errors > 0 &&
        (worse(deltaErrors) || deltaErrors === "new" || then === null)
          ? "err"
          : "",
    },
    p95: { value: duration(service.p95Nano), delta: deltaP95, tone: loud && worse(deltaP95) ? "warn" : "" },
  };
}

export interface Sentence {
  /** In the state's colour, bold: what is wrong. Empty when nothing is known but the numbers. */
  readonly headline: string;
  /** Where, since when, after whom. */
  readonly details: readonly string[];
}

/** One line of reason: the most frequent error, its operation and share, since when, which version, who follows whom. */
export function sentence(service: OverviewService, zone: Zone, word: string): Sentence {
  const { why } = service;
  if (why === null) return { headline: "", details: [] };
  const at = (nanos: string) => clockMinute(msOfNanos(nanos), zone);
  const details: string[] = [];
  let headline = "";
  if (why.kind === "silent") headline = why.since === null ? "silent" : `no calls since ${at(why.since)}`;
  else if (why.error !== null && (why.kind === "errors" || service.state === "broken")) {
    headline = visible(why.error.text || why.error.type);
    if (why.error.operation !== "") details.push(`${percent(why.error.share)} in ${visible(why.error.operation)}`);
  } else if (why.kind === "latency") {
    const factor = change(service.p95Nano, service.then?.p95Nano);
    if (why.waitsFor === null && factor !== "") details.push(`p95 ${factor} ${word}`.trim());
  }
  if (why.waitsFor !== null) {
    details.push(`${percent(why.waitsFor.share)} of the added time is ${visible(why.waitsFor.service)}`);
  }
  if (why.follows !== null) details.push(`after ${visible(why.follows)}`);
  if (why.since !== null && why.kind !== "silent") details.push(`began ${at(why.since)}`);
  if (why.version !== null) details.push(`${visible(why.version.value)} first seen ${at(why.version.firstSeen)}`);
  return { headline, details };
}

/** Share of errors per step; null where there were no calls. */
export function errorShares(series: OverviewService["series"]): (number | null)[] {
  return series.calls.map((calls, index) => {
    if (calls === null) return null;
    const errors = series.errors[index] ?? 0;
    return calls > 0 ? errors / calls : 0;
  });
}

/** Events of the page: versions first seen within the range, once each. */
export function versions(services: readonly OverviewService[]): { ms: number; label: string; service: string }[] {
  const seen = new Map<string, { ms: number; label: string; service: string }>();
  for (const { name, why } of services) {
    if (why?.version)
      seen.set(`${name}\0${why.version.value}`, {
        ms: msOfNanos(why.version.firstSeen),
        label: why.version.value,
        service: name,
      });
  }
  return [...seen.values()].sort((a, b) => a.ms - b.ms);
}
