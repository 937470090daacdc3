// Nice ticks for axes: values in steps of 1, 2, 2.5 or 5, times in steps that people count in.
import { clockMinute, clockSecond, day, type Zone } from "../design/clock.ts";

/** Ticks from 0 to at least `top`, four or five of them. */
export function valueTicks(top: number, wanted = 4): number[] {
  if (!(top > 0)) return [0, 1];
  const raw = top / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= raw * 0.999) ?? 10) * power;
  const count = Math.ceil(top / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3,
  7200e3, 10_800e3, 21_600e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3,
];

export interface TimeTick {
  readonly ms: number;
  readonly label: string;
}

/** Ticks at round times of the zone, at most one per `gap` pixels. */
export function timeTicks(startMs: number, endMs: number, width: number, zone: Zone, gap = 80): TimeTick[] {
  const length = endMs - startMs;
  const most = Math.max(1, Math.floor(width / gap));
  const step = STEPS_MS.find((one) => length / one <= most) ?? 604_800e3;
  const offset = zone === "utc" ? 0 : -new Date(startMs).getTimezoneOffset() * 60_000;
  const out: TimeTick[] = [];
  for (let ms = Math.ceil((startMs + offset) / step) * step - offset; ms <= endMs; ms += step) {
    out.push({
      ms,
      label: step >= 86_400e3 ? day(ms, zone) : step >= 60e3 ? clockMinute(ms, zone) : clockSecond(ms, zone),
    });
  }
  return out;
}

const LOG_STEPS = [1, 2, 5];

/** Ticks of a log axis over durations in nanoseconds: 1 2 5 per decade, thinned to `most`. */
export function logTicks(low: number, high: number, most = 6): number[] {
  const out: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of LOG_STEPS) {
      const value = step * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) out.push(value);
    }
  }
  if (out.length <= most) return out;
  const decades = out.filter((value) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6));
  return decades.length >= 2 ? thin(decades, most) : thin(out, most);
}

function thin(values: number[], most: number): number[] {
  const every = Math.ceil(values.length / most);
  return values.filter((_, index) => index % every === 0);
}
