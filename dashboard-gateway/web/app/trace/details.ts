// What the skeleton leaves out: attributes, events, links of single spans (`spans?rows=` and uploaded files).

export type ValueType = "string" | "int" | "double" | "bool" | "bytes" | "array" | "kvlist" | "empty";

export interface Attribute {
  readonly key: string;
  readonly type: ValueType;
  /** Text for string, int, bytes; number, boolean; list or object of typed values for array and kvlist. */
  readonly value: unknown;
}

export interface SpanEvent {
  readonly time: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly attributes: readonly Attribute[];
}

export interface SpanDetails {
  readonly row: number;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
  readonly kind: string;
  readonly start: string;
  readonly durationNano: number;
  readonly status: { readonly code: string; readonly message: string };
  readonly traceState: string;
  readonly flags: number;
  readonly attributes: readonly Attribute[];
  readonly resource: readonly Attribute[];
  readonly scope: { readonly name: string; readonly version: string; readonly attributes: readonly Attribute[] };
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number };
  readonly warnings: readonly string[];
}

export interface TraceEvent extends SpanEvent {
  readonly row: number;
}

/** One line of text for any value; arrays and lists as JSON of their plain values. */
export function valueText(attribute: Pick<Attribute, "type" | "value">): string {
  const { value } = attribute;
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(plain(attribute));
}

interface Typed {
  readonly type: ValueType;
  readonly value: unknown;
}

function isTyped(value: unknown): value is Typed {
  return typeof value === "object" && value !== null && "type" in value && "value" in value;
}

/** A typed value as the JSON that a reader would write: `[1, "a"]`, `{"k": true}`. */
export function plain(typed: Typed): unknown {
  const { type, value } = typed;
  if (type === "array" && Array.isArray(value)) return value.map((item) => (isTyped(item) ? plain(item) : item));
  if (type === "kvlist" && Array.isArray(value)) {
    const entries = value.filter((item): item is Attribute => isTyped(item) && "key" in item);
    return Object.fromEntries(entries.map((item) => [item.key, plain(item)]));
  }
  if ((type === "int" || type === "double") && typeof value === "string" && Number.isSafeInteger(Number(value))) {
    return Number(value);
  }
  return value;
}

/** JSON inside a string attribute, indented; null when it is none or too large to be worth reading. */
export function innerJson(text: string): string | null {
  if (text.length > 200_000 || !/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** What went wrong in words: status message, else the exception event's type and message. */
export function errorText(details: SpanDetails): string | null {
  if (details.status.message !== "") return details.status.message;
  const exception = details.events.find((event) => event.name === "exception");
  const part = (key: string) => {
    const found = (exception?.attributes ?? details.attributes).find((attribute) => attribute.key === key);
    return found === undefined ? "" : valueText(found);
  };
  const words = [part("exception.type"), part("exception.message")].filter((word) => word !== "").join(": ");
  if (words !== "") return words;
  const own = details.attributes.find(
    (attribute) => attribute.key === "error.type" || attribute.key === "error.message",
  );
  return own === undefined ? null : valueText(own);
}

/** Keys that stand more than once: shown as a warning, since a reader would see only one of them elsewhere. */
export function duplicateKeys(attributes: readonly Attribute[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { key } of attributes) (seen.has(key) ? twice : seen).add(key);
  return [...twice];
}

/** Does a span's text match the words of a find? Used for uploaded traces, where no server can be asked. */
export function detailsMatch(details: SpanDetails, words: readonly string[], excluded: readonly string[]): boolean {
  const skip = new Set(excluded);
  const holds = (text: string) => words.some((word) => text.toLowerCase().includes(word));
  const any = (attributes: readonly Attribute[]) =>
    attributes.some(
      ({ key, ...rest }) => !skip.has(key.toLowerCase()) && (holds(key) || holds(`${key}=${valueText(rest)}`)),
    );
  return (
    any(details.attributes) ||
    any(details.resource) ||
    any(details.scope.attributes) ||
    details.events.some((event) => holds(event.name) || any(event.attributes)) ||
    details.links.some((link) => holds(link.traceId) || any(link.attributes)) ||
    holds(details.status.message) ||
    holds(details.spanId)
  );
}
