// One "now" for the whole page. It moves only when something asks for fresh data, so that all answers of a page share a range.
import { create } from "zustand";

interface Now {
  /** Milliseconds; whole seconds, so that equal questions are equal. */
  nowMs: number;
  /** Counts the refreshes; part of query keys through nowMs. */
  refresh: () => void;
}

const wholeSecond = () => Math.floor(Date.now() / 1000) * 1000;

export const useNow = create<Now>()((set) => ({
  nowMs: wholeSecond(),
  refresh: () => set({ nowMs: wholeSecond() }),
}));
