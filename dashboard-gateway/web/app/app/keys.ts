// The keyboard map. Pages register what they understand while they are shown; the latest registration wins, `?` lists all of it.
import { useEffect, useRef } from "react";
import { create } from "zustand";
import { usePrefs } from "./prefs.ts";

export interface Key {
  /** `g h` is a sequence, `Ctrl+K` a chord, `?` or `Shift+T` a single key. `Ctrl` is also the Command key. */
  readonly keys: string;
  readonly does: string;
  readonly run: (event: KeyboardEvent) => void;
  /** Acts while a text field has the focus, too (only chords should). */
  readonly inFields?: boolean;
}

interface Layer {
  readonly id: number;
  readonly group: string;
  keys: readonly Key[];
}

interface Keymap {
  layers: readonly Layer[];
}

export const useKeymap = create<Keymap>()(() => ({ layers: [] }));
let lastId = 0;

/** Registers keys for as long as the calling component is shown. `keys` may change between renders. */
export function useKeys(group: string, keys: readonly Key[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  const shape = keys.map((key) => key.keys + key.does).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape says when the list itself differs
  useEffect(() => {
    lastId += 1;
    const id = lastId;
    const live = latest.current.map((key, index) => ({
      ...key,
      run: (event: KeyboardEvent) => latest.current[index]?.run(event),
    }));
    useKeymap.setState(({ layers }) => ({ layers: [...layers, { id, group, keys: live }] }));
    return () => useKeymap.setState(({ layers }) => ({ layers: layers.filter((layer) => layer.id !== id) }));
  }, [group, shape]);
}

const closers: (() => void)[] = [];

/** `Esc` closes the nearest thing: the last opened one that is still open. */
export function useEscape(open: boolean, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!open) return;
    const run = () => latest.current();
    closers.push(run);
    return () => {
      const at = closers.lastIndexOf(run);
      if (at >= 0) closers.splice(at, 1);
    };
  }, [open]);
}

/** The name of a key event in the grammar of `Key.keys`. */
export function nameOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const named: Record<string, string> = { " ": "Space", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };
  const letter = /^[a-z]$/i.test(event.key);
  const chord = event.ctrlKey || event.metaKey;
  const key = named[event.key] ?? (letter && chord ? event.key.toUpperCase() : event.key);
  const shifted = event.shiftKey && (event.key.length > 1 || (letter && chord));
  return `${chord ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shifted ? "Shift+" : ""}${key}`;
}

/** `Shift+T` is how people read it; the event says `T`. */
function normal(step: string): string {
  return step.replace(/^Shift\+([A-Z])$/, "$1");
}

function inField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return (
    target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "range"].includes(target.type)
  );
}

const SEQUENCE_MS = 1200;
let pending = "";
let pendingSince = 0;

function find(written: string, event: KeyboardEvent): Key | "prefix" | null {
  const field = inField(event.target);
  const chord = written.startsWith("Ctrl+") || written.startsWith("Alt+");
  if (!chord && (field || !usePrefs.getState().singleKeys)) return null;
  let prefix = false;
  const { layers } = useKeymap.getState();
  for (const layer of [...layers].reverse()) {
    for (const key of layer.keys) {
      const steps = key.keys.split(" ").map(normal).join(" ");
      if (steps === written && (!field || key.inFields)) return key;
      if (steps.startsWith(`${written} `)) prefix = true;
    }
  }
  return prefix ? "prefix" : null;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
  if (event.key === "Escape") {
    const close = closers.at(-1);
    if (close) {
      event.preventDefault();
      close();
      return;
    }
    if (inField(event.target) && event.target instanceof HTMLElement) event.target.blur();
  }
  // a modal dialog has the keyboard to itself
  if (document.querySelector("dialog:modal") !== null) return;
  const step = nameOf(event);
  const sequence = pending !== "" && event.timeStamp - pendingSince < SEQUENCE_MS ? `${pending} ${step}` : step;
  let hit = find(sequence, event);
  if (hit === null && sequence !== step) hit = find(step, event);
  pending = "";
  if (hit === "prefix") {
    pending = sequence;
    pendingSince = event.timeStamp;
  } else if (hit !== null) {
    event.preventDefault();
    hit.run(event);
  }
}

/** Starts listening; once, at start. */
export function watchKeys(): void {
  document.addEventListener("keydown", onKey);
}
