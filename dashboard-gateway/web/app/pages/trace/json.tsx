// The trace as Jaeger's JSON, adjusted or as it was sent. Lines are virtual: a document of 60 MB scrolls like a short one.
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { traceJson, traceJsonUrl } from "../../api/trace.ts";
import { Button, Segmented } from "../../design/controls.tsx";
import { bytes, plural } from "../../design/format.ts";
import { pieces } from "../../design/hostile.ts";
import { Busy, Problem } from "../../design/states.tsx";
import { uploadedTrace } from "../../trace/upload.ts";

const LINE = 16;
/** A longer document is not indented here: parsing it would stall the page. */
const PRETTY_BYTES_MAX = 30_000_000;
const LINE_CHARACTERS_MAX = 4_000;

export function JsonTab({ traceId, raw, onRaw }: { traceId: string; raw: boolean; onRaw: (raw: boolean) => void }) {
  const json = useQuery({
    queryKey: ["trace-json", traceId, raw],
    queryFn: async ({ signal }) => {
      const uploaded = uploadedTrace(traceId);
      return uploaded === undefined ? traceJson(traceId, raw, signal) : JSON.stringify(uploaded.spans);
    },
    gcTime: 0,
  });
  const lines = useMemo(() => linesOf(json.data ?? ""), [json.data]);
  const [copied, setCopied] = useState(false);
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE,
    overscan: 30,
  });
  return (
    <>
      <div className="stat-knobs">
        <Segmented
          label="Form"
          value={raw ? "raw" : "adjusted"}
          choices={[
            { value: "adjusted", label: "Adjusted" },
            { value: "raw", label: "As sent" },
          ]}
          onChange={(value) => onRaw(value === "raw")}
        />
        <a className="link" href={traceJsonUrl(traceId, raw)} target="_blank" rel="noopener noreferrer">
          open by itself
        </a>
        {json.data !== undefined && (
          <>
            <Button onClick={() => void navigator.clipboard?.writeText(lines.join("\n")).then(() => setCopied(true))}>
              {copied ? "Copied" : "Copy"}
            </Button>
            <span className="faint">
              {bytes(json.data.length)} · {plural(lines.length, "line")}
            </span>
          </>
        )}
      </div>
      <Busy busy={json.isFetching} words="reading the JSON" />
      {json.isError && <Problem what="The JSON" error={json.error} onRetry={() => void json.refetch()} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className="trace-scroll" ref={scroll} tabIndex={0} aria-label="JSON of the trace">
        <pre className="json" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <div key={item.key} className="json-line" style={{ transform: `translateY(${item.start}px)` }}>
              {shown(lines[item.index] ?? "")}
            </div>
          ))}
        </pre>
      </section>
    </>
  );
}

function linesOf(text: string): string[] {
  if (text.length > PRETTY_BYTES_MAX) return text.match(/.{1,4000}/gs) ?? [];
  try {
    return JSON.stringify(JSON.parse(text), null, 2).split("\n");
  } catch {
    return text.split("\n");
  }
}

function shown(line: string): string {
  const cut = line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)} …` : line;
  return pieces(cut)
    .map((piece) => piece.text)
    .join("");
}
