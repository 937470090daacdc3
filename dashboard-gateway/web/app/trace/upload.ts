// Files dropped on the page: Jaeger JSON is read here, OTLP JSON is sent to /api/transform first. Traces stay in this
// browser, under the id they carry, until the page is reloaded.

import { readJaeger, UploadError, type UploadedTrace } from "./jaeger.ts";

const FILE_BYTES_MAX = 200 * 1024 * 1024;
const uploaded = new Map<string, UploadedTrace>();

export function uploadedTrace(traceId: string): UploadedTrace | undefined {
  return uploaded.get(traceId);
}

export function isUploaded(traceId: string): boolean {
  return uploaded.has(traceId);
}

/** How OTLP becomes Jaeger JSON: the caller's, since only api/ fetches. */
export type Transform = (otlpJson: string) => Promise<unknown>;

export interface UploadReport {
  readonly traceIds: readonly string[];
  readonly failures: readonly { readonly file: string; readonly reason: string }[];
}

/** Reads all files; one that cannot be read does not keep the others from being shown. */
export async function takeFiles(files: Iterable<File>, transform: Transform): Promise<UploadReport> {
  const traceIds: string[] = [];
  const failures: { file: string; reason: string }[] = [];
  for (const file of files) {
    try {
      for (const trace of await readFile(file, transform)) {
        const id = trace.analysis.trace.traceId || `${"0".repeat(31)}${uploaded.size + 1}`;
        uploaded.set(id, trace);
        traceIds.push(id);
      }
    } catch (error) {
      failures.push({ file: file.name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { traceIds, failures };
}

async function readFile(file: File, transform: Transform): Promise<UploadedTrace[]> {
  if (file.size > FILE_BYTES_MAX) throw new UploadError(`the file is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
  const text = await file.text();
  const document = parse(text);
  if (isOtlp(document)) return readJaeger(await transform(JSON.stringify(document)));
  return readJaeger(document);
}

/** A JSON document, or the lines that the collector's file exporter writes, as one OTLP document. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length < 2) throw new UploadError("the file is not JSON", { cause });
    try {
      const documents = lines.map((line): unknown => JSON.parse(line));
      return { resourceSpans: documents.flatMap((one) => (isOtlp(one) ? one.resourceSpans : [])) };
    } catch {
      throw new UploadError("the file is neither JSON nor lines of JSON", { cause });
    }
  }
}

function isOtlp(document: unknown): document is { resourceSpans: unknown[] } {
  return (
    typeof document === "object" &&
    document !== null &&
    "resourceSpans" in document &&
    Array.isArray(document.resourceSpans) &&
    document.resourceSpans.length > 0
  );
}
