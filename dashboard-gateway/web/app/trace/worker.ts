// The worker of loader.ts: a skeleton in, its analysis out; all arrays are handed over, none is copied.

import { analyseSkeleton, buffersOf } from "./analysis.ts";

export type WorkerAnswer = { readonly analysis: ReturnType<typeof analyseSkeleton> } | { readonly failure: string };

self.onmessage = (event: MessageEvent<ArrayBuffer>) => {
  try {
    const analysis = analyseSkeleton(event.data);
    self.postMessage({ analysis } satisfies WorkerAnswer, { transfer: buffersOf(analysis) });
  } catch (error) {
    self.postMessage({ failure: error instanceof Error ? error.message : String(error) } satisfies WorkerAnswer);
  }
};
