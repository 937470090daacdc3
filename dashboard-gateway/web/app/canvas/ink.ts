// The theme's colours for canvas modules: read from the tokens once per theme change, never per frame.
import { onThemeChange } from "../app/prefs.ts";
import { SLOTS } from "../design/colour.ts";

const NAMES = [
  "bg",
  "sub",
  "hover",
  "sel",
  "ink",
  "ink2",
  "ink3",
  "line",
  "line2",
  "grid",
  "ghost",
  "accent",
  "err",
  "errbg",
  "warn",
  "warnbg",
  "better",
] as const;

export type Ink = Readonly<Record<(typeof NAMES)[number], string>> & {
  /** Service colours by slot. */
  readonly slots: readonly string[];
  /** Heat map steps, h0 is the background. */
  readonly heat: readonly string[];
  readonly sans: string;
  readonly mono: string;
};

let held: Ink | null = null;
onThemeChange(() => {
  held = null;
});

/** The present theme's colours. */
export function ink(): Ink {
  if (held !== null) return held;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const named = Object.fromEntries(NAMES.map((name) => [name, token(name)])) as Record<(typeof NAMES)[number], string>;
  held = {
    ...named,
    slots: Array.from({ length: SLOTS }, (_, slot) => token(`c${slot}`)),
    heat: Array.from({ length: 7 }, (_, step) => token(`h${step}`)),
    sans: token("sans"),
    mono: token("mono"),
  };
  return held;
}
