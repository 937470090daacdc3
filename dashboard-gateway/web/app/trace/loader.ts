// Decides where a skeleton is read: small ones here and now, large ones in a worker, so that the page never stalls.

import { type Analysis, analyseSkeleton } from "./analysis.ts";
import { SkeletonError } from "./skeleton.ts";
import type { WorkerAnswer } from "./worker.ts";

/** About 5 k spans; below it a worker takes longer to start than the work takes. */
const INLINE_BYTES_MAX = 47 * 5_000;

export async function loadSkeleton(buffer: ArrayBuffer, signal?: AbortSignal): Promise<Analysis> {
  if (buffer.byteLength <= INLINE_BYTES_MAX) return analyseSkeleton(buffer);
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise<Analysis>((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<WorkerAnswer>) => {
        if ("analysis" in event.data) resolve(event.data.analysis);
        else reject(new SkeletonError(event.data.failure));
      };
      worker.onerror = (event) => reject(new Error(event.message || "the worker that reads the trace did not start"));
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.postMessage(buffer, [buffer]);
    });
  } finally {
    worker.terminate();
  }
}
