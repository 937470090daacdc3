// What a person set for themselves on this browser; everything about *what is shown* lives in the URL instead.
import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Zone } from "../design/clock.ts";

export type Theme = "system" | "light" | "dark";
/** Row height of the waterfall. */
export type Density = "compact" | "normal" | "roomy";

interface Prefs {
  theme: Theme;
  zone: Zone;
  density: Density;
  /** Keys without Ctrl act (WCAG 2.1.4: they can be switched off). */
  singleKeys: boolean;
  /** The search form is folded away. */
  formFolded: boolean;
  /** Results as a table, or as a list with every service named. */
  results: "table" | "list";
  /** Width of the trace page's side panel, px. */
  panelWidth: number;
  /** Width of the names in the waterfall, px. */
  nameWidth: number;
  set: (change: Partial<Omit<Prefs, "set">>) => void;
}

export const usePrefs = create<Prefs>()(
  persist(
    (set) => ({
      theme: "system",
      zone: "browser",
      density: "compact",
      singleKeys: true,
      formFolded: false,
      results: "table",
      panelWidth: 344,
      nameWidth: 320,
      set: (change) => set(change),
    }),
    { name: "yc-prefs", version: 1 },
  ),
);

const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

/** The theme that is really shown. */
export function shownTheme(theme: Theme): "light" | "dark" {
  if (theme !== "system") return theme;
  return darkSystem.matches ? "dark" : "light";
}

type Listener = (theme: "light" | "dark") => void;
const listeners = new Set<Listener>();

/** Canvas modules read theme colours once per change; this tells them when. Returns the way to stop. */
export function onThemeChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function apply(): void {
  const theme = shownTheme(usePrefs.getState().theme);
  if (document.documentElement.dataset.theme === theme) return;
  document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener(theme);
}

/** Puts the theme on the document and keeps it there. */
export function watchTheme(): void {
  apply();
  usePrefs.subscribe(apply);
  darkSystem.addEventListener("change", apply);
}

/** Light → dark → as the system says. */
export function nextTheme(theme: Theme): Theme {
  if (theme === "system") return shownTheme("system") === "dark" ? "light" : "dark";
  return shownTheme("system") === theme ? "system" : theme === "light" ? "dark" : "light";
}
