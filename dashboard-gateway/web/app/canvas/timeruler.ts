// Ticks and labels of a time axis that begins at 0 (durations, not moments).

export interface RulerTick {
  readonly nano: number;
  readonly label: string;
}

const UNITS: readonly (readonly [number, string])[] = [
  [3_600e9, "h"],
  [60e9, "min"],
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];

/** Ticks at nice steps (1, 2, 2.5, 5; of minutes and hours 1, 2, 5, 10, 15, 30), at most one per `gap` pixels. */
export function rulerTicks(from: number, to: number, width: number, gap = 90): RulerTick[] {
  const wanted = (to - from) / Math.max(1, Math.floor(width / gap));
  if (!(wanted > 0) || !Number.isFinite(wanted)) return [];
  const step = stepOf(wanted);
  // The largest unit that fits the end of the range and needs no more than three decimals.
  const fit = UNITS.find(([size]) => size <= Math.max(step, Math.abs(to)) && decimalsOf(step / size) <= 3);
  const [unit, name] = fit ?? [1, "ns"];
  const decimals = decimalsOf(step / unit);
  const out: RulerTick[] = [];
  const first = Math.ceil(from / step - 1e-9);
  for (let i = first; i * step <= to + step * 1e-6; i++) {
    const nano = i * step;
    out.push({ nano, label: i === 0 ? "0" : `${(nano / unit).toFixed(decimals)} ${name}` });
  }
  return out;
}

function decimalsOf(step: number): number {
  return Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9) + (fraction(step) ? 1 : 0)));
}

function fraction(value: number): boolean {
  const leading = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return Math.abs(leading - 2.5) < 1e-6;
}

function stepOf(wanted: number): number {
  if (wanted > 30e9) {
    const steps = [60e9, 120e9, 300e9, 600e9, 900e9, 1_800e9, 3_600e9, 7_200e9, 18_000e9, 36_000e9, 86_400e9];
    const found = steps.find((one) => one >= wanted);
    if (found !== undefined) return found;
  }
  const power = 10 ** Math.floor(Math.log10(wanted) + 1e-9);
  return ([1, 2, 2.5, 5, 10].find((one) => one * power >= wanted * 0.999) ?? 10) * power;
}
