// Numbers and times as people read them: three significant digits, a space before the unit, `0` for a true zero.

/** Shown where a value does not apply. */
export const NONE = "–";

/** Three significant digits, without exponent; whole numbers from 100 on. */
export function digits(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 99.95) return sign(value) + Math.round(size).toString();
  if (size >= 9.995) return sign(value) + size.toFixed(1);
  if (size >= 0.9995) return sign(value) + size.toFixed(2);
  return sign(value) + Number(size.toPrecision(size >= 0.01 ? 2 : 1)).toString();
}

function sign(value: number): string {
  return value < 0 ? "−" : "";
}

const DURATIONS: readonly (readonly [number, string])[] = [
  [3_600e9, "h"],
  [60e9, "min"],
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
];

/** A duration in nanoseconds: `1.31 ms`, `6.82 s`, `12.4 min`. */
export function duration(nano: number | null | undefined): string {
  if (nano === null || nano === undefined || !Number.isFinite(nano)) return NONE;
  if (nano === 0) return "0";
  const size = Math.abs(nano);
  for (const [unit, name] of DURATIONS) if (size >= unit * 0.9995) return `${digits(nano / unit)} ${name}`;
  return `${Math.round(nano)} ns`;
}

/** Calls per second: `84.2/s`, `2870/s`, `0.02/s`. */
export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || !Number.isFinite(perSecond)) return NONE;
  return perSecond >= 10_000 ? `${compact(perSecond)}/s` : `${digits(perSecond)}/s`;
}

/** A share (0 … 1) in percent: `8.4 %`, `0.01 %`, `< 0.01 %`. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  const value = share * 100;
  if (value === 0) return "0 %";
  if (value < 0.005) return "< 0.01 %";
  if (value < 0.095) return `${value.toFixed(2)} %`;
  if (value >= 99.95) return value > 100.05 ? `${Math.round(value)} %` : "100 %";
  return `${trimmed(value.toFixed(1))} %`;
}

function trimmed(text: string): string {
  return text.replace(/\.0$/, "");
}

const SCALES: readonly (readonly [number, string])[] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** A large number in short: `1.9 M`, `412`. */
export function compact(value: number): string {
  for (const [unit, name] of SCALES)
    if (Math.abs(value) >= unit * 0.9995) return `${trimmed(digits(value / unit))} ${name}`;
  return digits(value);
}

/** A count in full, digits in groups of three: `1,284`. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 trace`, `2 traces`, `1,284 traces`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Bytes, decimal units: `41 MB`. */
export function bytes(value: number): string {
  const steps = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let step = 0;
  while (size >= 999.5 && step < steps.length - 1) {
    size /= 1000;
    step += 1;
  }
  return `${step === 0 ? Math.round(size) : digits(size)} ${steps[step] ?? "B"}`;
}

/** A change against an earlier value: `22×`, `+54 %`, `−20 %`; empty under 8 % (it is noise on a page of overview). */
export function change(now: number | null, then: number | null | undefined): string {
  if (now === null || then === null || then === undefined) return "";
  if (then === 0) return now === 0 ? "" : "new";
  const factor = now / then;
  if (Math.abs(factor - 1) < 0.08) return "";
  if (factor >= 2)
    return `${factor >= 999.5 ? compact(factor) : factor >= 9.95 ? Math.round(factor) : factor.toFixed(1)}×`;
  return `${factor > 1 ? "+" : "−"}${Math.abs((factor - 1) * 100).toFixed(0)} %`;
}

/** Reads `500ms`, `1.5s`, `2h`, `300us`, `1m30s` (the grammar of Go durations) into nanoseconds; null if it is none. */
export function parseDuration(text: string): number | null {
  const units: Record<string, number> = {
    ns: 1,
    us: 1e3,
    µs: 1e3,
    μs: 1e3,
    ms: 1e6,
    s: 1e9,
    m: 60e9,
    min: 60e9,
    h: 3_600e9,
  };
  const compacted = text.replace(/\s+/g, "");
  if (!/^(\d+(\.\d+)?(ns|us|µs|μs|ms|min|s|m|h))+$/.test(compacted)) return null;
  let total = 0;
  for (const part of compacted.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|min|s|m|h)/g)) {
    total += Number(part[1]) * (units[part[2] ?? ""] ?? 0);
  }
  return total;
}

/** A duration in the grammar that the API reads (Go's). */
export function goDuration(nano: number): string {
  return `${Math.max(0, Math.round(nano))}ns`
    .replace(/000000000ns$/, "s")
    .replace(/000000ns$/, "ms")
    .replace(/000ns$/, "us");
}
