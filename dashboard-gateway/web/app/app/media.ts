import { useSyncExternalStore } from "react";

const small = window.matchMedia("(max-width: 760px)");

function subscribe(run: () => void): () => void {
  small.addEventListener("change", run);
  return () => small.removeEventListener("change", run);
}

/** One column: a phone, or a very narrow window. */
export function useSmall(): boolean {
  return useSyncExternalStore(subscribe, () => small.matches);
}
