// Link patterns: attributes that lead out of the trace ("logs of this pod"), by templates that the operator configures.
// `#{key}` takes an attribute of the same span, encoded; `#{trace.traceId}`, `#{span.spanId}`, `#{span.startMs}`,
// `#{span.endMs}`, `#{trace.startMs}`, `#{trace.endMs}` are always there. Only http(s) or a path of this host comes out.

import { safeLink } from "../design/hostile.ts";
import { type Attribute, type SpanDetails, valueText } from "./details.ts";

export interface LinkPattern {
  /** Attribute at which the link stands; `span` puts it among the jumps. */
  readonly key: string;
  readonly url: string;
  readonly text: string;
}

export interface ResolvedLink {
  readonly href: string;
  readonly text: string;
}

export interface LinkScope {
  readonly traceId: string;
  readonly traceStartMs: number;
  readonly traceEndMs: number;
}

export function resolveLinks(
  patterns: readonly LinkPattern[],
  key: string,
  span: SpanDetails,
  scope: LinkScope,
): ResolvedLink[] {
  return patterns.flatMap((pattern) => {
    if (pattern.key !== key) return [];
    const href = expand(pattern.url, span, scope, encodeURIComponent);
    const text = expand(pattern.text, span, scope, (value) => value);
    if (href === null || text === null) return [];
    const local = /^\/(?![/\\])/.test(href);
    const link = local ? href : safeLink(href)?.href;
    return link === undefined ? [] : [{ href: link, text }];
  });
}

/** Null when a key of the template is not there: then the link would lead to nothing. */
function expand(
  template: string,
  span: SpanDetails,
  scope: LinkScope,
  encode: (value: string) => string,
): string | null {
  let whole = true;
  const out = template.replace(/#\{([^{}]+)\}/g, (_, key: string) => {
    const value = lookUp(key, span, scope);
    if (value === null) whole = false;
    return value === null ? "" : encode(value);
  });
  return whole ? out : null;
}

function lookUp(key: string, span: SpanDetails, scope: LinkScope): string | null {
  const startMs = Number(span.start) / 1e6;
  switch (key) {
    case "trace.traceId":
      return scope.traceId;
    case "trace.startMs":
      return Math.floor(scope.traceStartMs).toString();
    case "trace.endMs":
      return Math.ceil(scope.traceEndMs).toString();
    case "span.spanId":
      return span.spanId;
    case "span.startMs":
      return Math.floor(startMs).toString();
    case "span.endMs":
      return Math.ceil(startMs + span.durationNano / 1e6).toString();
  }
  const find = (attributes: readonly Attribute[]) => attributes.find((attribute) => attribute.key === key);
  const found = find(span.attributes) ?? find(span.resource);
  return found === undefined ? null : valueText(found);
}

/** Reads the patterns out of the page's configuration; entries that do not fit are left out. */
export function readPatterns(value: unknown): LinkPattern[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { key, url, text } = entry as Record<string, unknown>;
    if (typeof key !== "string" || typeof url !== "string" || typeof text !== "string") return [];
    return [{ key, url, text }];
  });
}
