// One search as one value: what the form edits, the query text says, the URL holds and the API is asked.
import { all, one, type Params } from "../../app/location.ts";
import type { Range } from "../../app/range.ts";
import { nanosOfMs } from "../../design/clock.ts";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export const ORDERS = ["newest", "oldest", "longest", "spans", "errors"] as const;
export type Order = (typeof ORDERS)[number];

export const ORDER_NAMES: Record<Order, string> = {
  newest: "Newest",
  oldest: "Oldest",
  longest: "Longest",
  spans: "Most spans",
  errors: "Most errors",
};

export const LIMIT_DEFAULT = 100;
export const LIMIT_MAX = 1500;

/** Durations are texts in Go's grammar (`500ms`); empty means not asked for. */
export interface Question {
  readonly service: string;
  readonly operation: string;
  /** All of them hold on one and the same span; `error=true` is among them. */
  readonly tags: readonly Tag[];
  readonly minDuration: string;
  readonly maxDuration: string;
  readonly minTraceDuration: string;
  readonly maxTraceDuration: string;
  readonly limit: number;
  readonly order: Order;
}

export const EMPTY: Question = {
  service: "",
  operation: "",
  tags: [],
  minDuration: "",
  maxDuration: "",
  minTraceDuration: "",
  maxTraceDuration: "",
  limit: LIMIT_DEFAULT,
  order: "newest",
};

export function isOrder(text: string | undefined): text is Order {
  return ORDERS.some((order) => order === text);
}

export type Status = "any" | "error" | "ok";

export function statusOf(question: Question): Status {
  const tag = question.tags.find(({ key }) => key === "error");
  return tag === undefined ? "any" : tag.value === "true" ? "error" : "ok";
}

export function withStatus(question: Question, status: Status): Question {
  const tags = question.tags.filter(({ key }) => key !== "error");
  if (status !== "any") tags.push({ key: "error", value: status === "error" ? "true" : "false" });
  return { ...question, tags };
}

/** A later condition on a key replaces the earlier one: both on one span could never hold. */
export function withTag(question: Question, tag: Tag): Question {
  return { ...question, tags: [...question.tags.filter(({ key }) => key !== tag.key), tag] };
}

export function withoutTag(question: Question, key: string): Question {
  return { ...question, tags: question.tags.filter((tag) => tag.key !== key) };
}

export function limitOf(text: string | undefined): number {
  const limit = Number(text);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, LIMIT_MAX) : LIMIT_DEFAULT;
}

/** Reads a question out of the URL; Jaeger's names (`tags` as JSON, `tag=key:value`) are ours. */
export function questionOf(params: Params): Question {
  const text = (key: string) => one(params, key) ?? "";
  const order = one(params, "order");
  let question: Question = {
    service: text("service"),
    operation: text("operation"),
    tags: [],
    minDuration: text("minDuration"),
    maxDuration: text("maxDuration"),
    minTraceDuration: text("minTraceDuration"),
    maxTraceDuration: text("maxTraceDuration"),
    limit: limitOf(one(params, "limit")),
    order: isOrder(order) ? order : "newest",
  };
  for (const tag of tagsOf(text("tags"))) question = withTag(question, tag);
  for (const pair of all(params, "tag")) {
    const at = pair.indexOf(":");
    if (at > 0) question = withTag(question, { key: pair.slice(0, at), value: pair.slice(at + 1) });
  }
  return question;
}

function tagsOf(json: string): Tag[] {
  try {
    const given: unknown = JSON.parse(json || "{}");
    if (typeof given !== "object" || given === null) return [];
    return Object.entries(given).map(([key, value]) => ({ key, value: String(value) }));
  } catch {
    return [];
  }
}

function tagsText(tags: readonly Tag[]): string | undefined {
  return tags.length === 0 ? undefined : JSON.stringify(Object.fromEntries(tags.map(({ key, value }) => [key, value])));
}

/** The question as parameters of the page; what is as by default is left out. */
export function paramsOf(question: Question): Record<string, string | undefined> {
  return {
    service: question.service || undefined,
    operation: question.operation || undefined,
    tags: tagsText(question.tags),
    tag: undefined,
    minDuration: question.minDuration || undefined,
    maxDuration: question.maxDuration || undefined,
    minTraceDuration: question.minTraceDuration || undefined,
    maxTraceDuration: question.maxTraceDuration || undefined,
    limit: question.limit === LIMIT_DEFAULT ? undefined : String(question.limit),
    order: question.order === "newest" ? undefined : question.order,
  };
}

/** The question as the API takes it. */
export function queryOf(question: Question, range: Range): Record<string, string | number | undefined> {
  return {
    service: question.service || undefined,
    operation: question.operation || undefined,
    tags: tagsText(question.tags),
    minDuration: question.minDuration || undefined,
    maxDuration: question.maxDuration || undefined,
    minTraceDuration: question.minTraceDuration || undefined,
    maxTraceDuration: question.maxTraceDuration || undefined,
    start: nanosOfMs(range.startMs),
    end: nanosOfMs(range.endMs),
    limit: question.limit,
    order: question.order,
  };
}
