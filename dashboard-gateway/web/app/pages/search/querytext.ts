// The query text: `service=yc-web op="POST /submit" http.response.status_code=502 duration>500ms order=longest`.
// It says exactly what the form says; each is written out of the other. The grammar is words of key, operator and value:
//   word  = key op value      key, value = bare | "quoted" (with \" and \\)      op = "=" | ">" | "<"
// Reserved keys: service, op (operation), status (error, ok), duration (one span), trace (the whole trace), limit, order.
// An attribute that is called like a reserved key is written in quotes.
import { parseDuration } from "../../design/format.ts";
import {
  EMPTY,
  isOrder,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  ORDERS,
  type Question,
  statusOf,
  withStatus,
  withTag,
} from "./question.ts";

const RESERVED = ["service", "op", "operation", "status", "duration", "trace", "limit", "order"];

function quoted(text: string, key = false): string {
  const bare = /^[^\s"=<>\\]+$/.test(text) && !(key && RESERVED.includes(text));
  return bare ? text : `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** Writes a question; the default of everything is silence. */
export function write(question: Question): string {
  const words: string[] = [];
  if (question.service !== "") words.push(`service=${quoted(question.service)}`);
  if (question.operation !== "") words.push(`op=${quoted(question.operation)}`);
  const status = statusOf(question);
  for (const { key, value } of question.tags) {
    if (key !== "error" || (value !== "true" && value !== "false")) words.push(`${quoted(key, true)}=${quoted(value)}`);
  }
  if (status !== "any" && question.tags.some(({ key, value }) => key === "error" && /^(true|false)$/.test(value))) {
    words.push(`status=${status}`);
  }
  if (question.minDuration !== "") words.push(`duration>${quoted(question.minDuration)}`);
  if (question.maxDuration !== "") words.push(`duration<${quoted(question.maxDuration)}`);
  if (question.minTraceDuration !== "") words.push(`trace>${quoted(question.minTraceDuration)}`);
  if (question.maxTraceDuration !== "") words.push(`trace<${quoted(question.maxTraceDuration)}`);
  if (question.order !== "newest") words.push(`order=${question.order}`);
  if (question.limit !== LIMIT_DEFAULT) words.push(`limit=${question.limit}`);
  return words.join(" ");
}

export interface Word {
  readonly key: string;
  readonly keyQuoted: boolean;
  /** Empty when the word has none (yet). */
  readonly operator: "" | "=" | ">" | "<";
  readonly value: string;
  /** Where the word stands in the text. */
  readonly start: number;
  readonly end: number;
}

/** Cuts a text into words; never fails, so that it also serves completion in the middle of typing. */
export function words(text: string): Word[] {
  const out: Word[] = [];
  let at = 0;
  const atom = (stop: RegExp): { text: string; quoted: boolean } => {
    if (text[at] !== '"') {
      const start = at;
      while (at < text.length && !stop.test(text[at] ?? "")) at += 1;
      return { text: text.slice(start, at), quoted: false };
    }
    at += 1;
    let value = "";
    while (at < text.length && text[at] !== '"') {
      if (text[at] === "\\" && at + 1 < text.length) at += 1;
      value += text[at];
      at += 1;
    }
    at += 1;
    return { text: value, quoted: true };
  };
  while (at < text.length) {
    if (/\s/.test(text[at] ?? "")) {
      at += 1;
      continue;
    }
    const start = at;
    const key = atom(/[\s"=<>]/);
    const sign = text[at];
    let operator: Word["operator"] = "";
    let value = "";
    if (sign === "=" || sign === ">" || sign === "<") {
      operator = sign;
      at += 1;
      value = atom(/\s/).text;
    } else if (at === start) at += 1;
    out.push({ key: key.text, keyQuoted: key.quoted, operator, value, start, end: Math.min(at, text.length) });
  }
  return out;
}

export interface Parsed {
  readonly question: Question;
  /** What could not be understood, in words; the question lacks it. */
  readonly problem: string | null;
}

export function parse(text: string): Parsed {
  let question = EMPTY;
  let problem: string | null = null;
  for (const word of words(text)) {
    const told = applied(question, word);
    if (typeof told === "string") problem ??= told;
    else question = told;
  }
  return { question, problem };
}

function applied(question: Question, word: Word): Question | string {
  const { key, operator, value } = word;
  if (operator === "" || key === "") return `“${key || word.value}” has no value: write key=value`;
  const reserved = !word.keyQuoted && RESERVED.includes(key);
  if (reserved && (key === "duration" || key === "trace")) return bounded(question, key, operator, value);
  if (operator !== "=") return `“${key}” can only be compared with =; > and < are for duration and trace`;
  if (!reserved) return withTag(question, { key, value });
  switch (key) {
    case "service":
      return { ...question, service: value };
    case "op":
    case "operation":
      return { ...question, operation: value };
    case "status":
      return value === "error" || value === "ok" ? withStatus(question, value) : "status is error or ok";
    case "order":
      return isOrder(value) ? { ...question, order: value } : `order is one of ${ORDERS.join(", ")}`;
    default: {
      const limit = Number(value);
      const fits = Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX;
      return fits ? { ...question, limit } : `limit is a number from 1 to ${LIMIT_MAX}`;
    }
  }
}

function bounded(question: Question, key: "duration" | "trace", operator: string, value: string): Question | string {
  if (operator === "=") return `${key} is compared with > or <`;
  if (parseDuration(value) === null) return `“${value}” is not a duration: write 500ms, 1.5s, 2m`;
  const span = key === "duration";
  if (operator === ">") return { ...question, [span ? "minDuration" : "minTraceDuration"]: value };
  return { ...question, [span ? "maxDuration" : "maxTraceDuration"]: value };
}

/** What is being typed at the caret: a key, or a value of a key. */
export interface Typing {
  readonly part: "key" | "value";
  readonly key: string;
  readonly prefix: string;
  readonly start: number;
  readonly end: number;
}

export function typingAt(text: string, caret: number): Typing {
  const word = words(text).find(({ start, end }) => start < caret && caret <= end);
  if (word === undefined) return { part: "key", key: "", prefix: "", start: caret, end: caret };
  const { key, operator, value, start, end } = word;
  if (operator === "") return { part: "key", key: "", prefix: key, start, end };
  return { part: "value", key, prefix: value, start, end };
}

/** The text with the word at the caret completed. */
export function completed(text: string, typing: Typing, pick: string): string {
  const word =
    typing.part === "key"
      ? `${RESERVED.includes(pick) ? pick : quoted(pick)}=`
      : `${RESERVED.includes(typing.key) ? typing.key : quoted(typing.key)}=${quoted(pick)} `;
  const rest = text.slice(typing.end);
  return text.slice(0, typing.start) + word + (typing.part === "key" ? rest : rest.trimStart());
}

export const KEYWORDS = RESERVED.filter((word) => word !== "operation");
