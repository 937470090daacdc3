// The only place that fetches. Paths are relative to the app's base; answers are typed by `wire.ts` and trusted as our own
// servers' (texts inside them are not: see design/hostile.ts).
import { config } from "../app/config.ts";

/** An answer that says no: in words, with the id under which the server's log has it. */
export class ApiError extends Error {
  readonly status: number;
  readonly requestId: string | null;

  constructor(status: number, message: string, requestId: string | null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.requestId = requestId;
  }
}

export type QueryValue = string | number | boolean | null | undefined;
/** Query parameters; a list repeats its key, null and undefined are left out. */
export type Query = Record<string, QueryValue | readonly string[]>;

export function queryText(query: Query): string {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) out.append(key, one);
    else if (value !== null && value !== undefined && value !== "") out.append(key, String(value));
  }
  const text = out.toString();
  return text === "" ? "" : `?${text}`;
}

/** The URL of a path of query-api, such as `api/traces/…`, for links and downloads. */
export function apiUrl(path: string, query: Query = {}): string {
  return `${config.base}${config.api}${path}${queryText(query)}`;
}

/** The URL of a path of dashboard-gateway itself. */
export function gatewayUrl(path: string, query: Query = {}): string {
  return `${config.base}${path}${queryText(query)}`;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Called when the session has ended while the app was open. */
let onSignedOut: () => void = () => undefined;
export function whenSignedOut(run: () => void): void {
  onSignedOut = run;
}

/** Fetches and answers the response; a failure of any kind is an `ApiError` (or an `AbortError`, when it was cancelled). */
export async function send(url: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, {
      method: options.method ?? "GET",
      headers,
      credentials: "same-origin",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "The server cannot be reached.", null);
  }
  if (response.ok) return response;
  if (response.status === 401 && config.mode === "gateway" && !url.endsWith("/login")) onSignedOut();
  throw await failure(response);
}

async function failure(response: Response): Promise<ApiError> {
  const held = response.headers.get("x-request-id");
  try {
    const said = messageOf(await response.json());
    if (said !== null) return new ApiError(response.status, said.message, said.requestId ?? held);
  } catch {
    // not JSON: the status has to do
  }
  return new ApiError(response.status, response.statusText || `The server answered ${response.status}.`, held);
}

interface Said {
  readonly message: string;
  readonly requestId: string | null;
}

/** Our own errors, Jaeger's (`errors: [{msg}]`), Prometheus' (`error: "…"`) and Grafana's (`message`). */
export function messageOf(body: unknown): Said | null {
  if (!isRecord(body)) return null;
  const { error, errors, message } = body;
  const requestId = text(body.requestId);
  if (isRecord(error)) return said(text(error.message), text(error.requestId) ?? requestId);
  if (typeof error === "string") return said(error, requestId);
  if (Array.isArray(errors) && isRecord(errors[0])) return said(text(errors[0].msg), requestId);
  return said(text(message), requestId);
}

function said(message: string | null, requestId: string | null): Said | null {
  return message === null ? null : { message, requestId };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON from query-api. */
export async function getJson<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
  const response = await send(apiUrl(path, query), { signal });
  return (await response.json()) as T;
}

/** Bytes from query-api: a trace's skeleton. */
export async function getBytes(path: string, query: Query, signal?: AbortSignal): Promise<ArrayBuffer> {
  const response = await send(apiUrl(path, query), { signal });
  return response.arrayBuffer();
}

/** JSON from and to dashboard-gateway. */
export async function gatewayJson<T>(path: string, options: Options = {}): Promise<T> {
  const response = await send(gatewayUrl(path), options);
  return (await response.json()) as T;
}
