// Questions about traces and services that pages share, as TanStack Query options: keys, cancellation and types in one place.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Range } from "../app/range.ts";
import { nanosOfMs } from "../design/clock.ts";
import { getJson } from "./client.ts";
import type { Answer, Graph, Overview, Red, SearchAnswer, Status } from "./wire.ts";

const V1 = "api/yc/v1";

function ends(range: Range): { start: string; end: string } {
  return { start: nanosOfMs(range.startMs), end: nanosOfMs(range.endMs) };
}

function compared(then: Range | null): { compareStart?: string; compareEnd?: string } {
  return then === null ? {} : { compareStart: nanosOfMs(then.startMs), compareEnd: nanosOfMs(then.endMs) };
}

export function overviewQuery(range: Range, then: Range | null, step: number) {
  const query = { ...ends(range), ...compared(then), step };
  return queryOptions({
    queryKey: ["overview", query],
    queryFn: ({ signal }) => getJson<Overview>(`${V1}/overview`, query, signal),
    placeholderData: keepPreviousData,
  });
}

export interface RedQuestion {
  readonly service: string;
  readonly groupBy: "service" | "operation";
  readonly kind: string;
}

export function redQuery(question: RedQuestion, range: Range, step: number) {
  const query = { ...question, ...ends(range), step };
  return queryOptions({
    queryKey: ["red", query],
    queryFn: ({ signal }) => getJson<Red>(`${V1}/red`, query, signal),
    placeholderData: keepPreviousData,
  });
}

export function graphQuery(range: Range, then: Range | null) {
  const query = { ...ends(range), ...compared(then) };
  return queryOptions({
    queryKey: ["graph", query],
    queryFn: ({ signal }) => getJson<Graph>(`${V1}/graph`, query, signal),
    placeholderData: keepPreviousData,
  });
}

export const servicesQuery = queryOptions({
  queryKey: ["services"],
  queryFn: ({ signal }) => getJson<Answer & { services: { name: string }[] }>(`${V1}/services`, {}, signal),
  select: (answer) => answer.services.map((service) => service.name),
  staleTime: 15_000,
});

export function operationsQuery(service: string) {
  return queryOptions({
    queryKey: ["operations", service],
    queryFn: ({ signal }) =>
      getJson<Answer & { operations: { name: string; kind: string }[] }>(`${V1}/operations`, { service }, signal),
    select: (answer) => [...new Set(answer.operations.map((operation) => operation.name))].sort(),
    staleTime: 15_000,
    enabled: service !== "",
  });
}

export function attributeKeysQuery(service: string, prefix: string) {
  return queryOptions({
    queryKey: ["attributes", service, prefix],
    queryFn: ({ signal }) =>
      getJson<Answer & { keys: { key: string; levels: string[] }[] }>(
        `${V1}/attributes`,
        { service, prefix, limit: 50 },
        signal,
      ),
    select: (answer) => answer.keys,
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  });
}

export function attributeValuesQuery(service: string, key: string, prefix: string) {
  return queryOptions({
    queryKey: ["attribute-values", service, key, prefix],
    queryFn: ({ signal }) =>
      getJson<Answer & { values: { value: string; count: number }[] }>(
        `${V1}/attributes/values`,
        { key, service, prefix, limit: 50 },
        signal,
      ),
    select: (answer) => answer.values,
    staleTime: 15_000,
    enabled: key !== "",
  });
}

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => getJson<Status>(`${V1}/status`, {}, signal),
});

/** One page of a search. `query` is written by pages/search/question.ts. */
export function searchPage(
  query: Record<string, string | number | readonly string[] | null | undefined>,
  signal?: AbortSignal,
): Promise<SearchAnswer> {
  return getJson<SearchAnswer>(`${V1}/search`, query, signal);
}
