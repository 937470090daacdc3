import { expect, test } from "vitest";
import { parseParams, writeParams } from "../../app/location.ts";
import { completed, parse, typingAt, write } from "./querytext.ts";
import { EMPTY, paramsOf, type Question, questionOf, withStatus, withTag } from "./question.ts";

const FULL: Question = {
  service: "yc-backend-api",
  operation: 'POST /v1/"quoted" \\ path',
  tags: [
    { key: "http.response.status_code", value: "502" },
    { key: "service", value: "an attribute called like a keyword" },
    { key: "a b=c", value: "" },
    { key: "error", value: "true" },
  ],
  minDuration: "500ms",
  maxDuration: "2s",
  minTraceDuration: "1m30s",
  maxTraceDuration: "1h",
  limit: 50,
  order: "longest",
};

test.each([
  ["nothing", EMPTY],
  ["everything", FULL],
  ["hostile names", withTag(EMPTY, { key: "<img src=x>\u202e", value: '"><script>alert(1)</script>' })],
  ["the end of a quote", { ...EMPTY, service: "ends with \\" }],
])("%s means the same as text, in the URL and in the form", (_, question) => {
  expect(parse(write(question))).toEqual({ question, problem: null });
  const params = Object.fromEntries(Object.entries(paramsOf(question)).filter(([, value]) => value !== undefined));
  expect(questionOf(parseParams(writeParams(params)))).toEqual(question);
});

test("a question that people type is read as they mean it", () => {
  const { question, problem } = parse('  service=yc-web op="GET /" http.route=/x status=error duration>500ms  ');
  expect(problem).toBeNull();
  expect(question).toEqual({
    ...EMPTY,
    service: "yc-web",
    operation: "GET /",
    tags: [
      { key: "http.route", value: "/x" },
      { key: "error", value: "true" },
    ],
    minDuration: "500ms",
  });
});

test("Jaeger's links are understood", () => {
  const params = parseParams('?service=a&tags={"error":"true","n":1}&tag=k:v:w&limit=5000&lookback=2h');
  expect(questionOf(params)).toEqual({
    ...EMPTY,
    service: "a",
    tags: [
      { key: "error", value: "true" },
      { key: "n", value: "1" },
      { key: "k", value: "v:w" },
    ],
    limit: 1500,
  });
  expect(questionOf(parseParams("?tags=[broken&limit=-3&order=best"))).toEqual(EMPTY);
});

test.each([
  ["word", "“word” has no value"],
  ["key>5", "can only be compared with ="],
  ["duration=5s", "compared with > or <"],
  ["duration>5", "is not a duration"],
  ["limit=many", "from 1 to 1500"],
  ["order=best", "one of newest"],
  ["status=fine", "error or ok"],
  ["=x", "has no value"],
])("%s is refused in words", (text, words) => {
  expect(parse(text).problem).toContain(words);
});

test("reading never fails and never stops, whatever is typed", () => {
  for (const text of ['"', '="', "a=", '\\"', "<>=", '"a', 'a="b', "===", " ", "\u0000"])
    expect(() => parse(text)).not.toThrow();
});

test("status replaces the error attribute, not other ones", () => {
  const tags = [{ key: "k", value: "v" }];
  expect(withStatus({ ...EMPTY, tags }, "error").tags).toEqual([...tags, { key: "error", value: "true" }]);
  expect(withStatus(withStatus({ ...EMPTY, tags }, "error"), "any").tags).toEqual(tags);
});

test("completion knows what is typed at the caret", () => {
  expect(typingAt("service=yc-web http.r", 21)).toMatchObject({ part: "key", prefix: "http.r", start: 15 });
  expect(typingAt("http.route=/v", 13)).toMatchObject({ part: "value", key: "http.route", prefix: "/v" });
  expect(typingAt("a=b ", 4)).toMatchObject({ part: "key", prefix: "", start: 4 });
  const text = "a=b http.r c=d";
  expect(completed(text, typingAt(text, 10), "http.route")).toBe("a=b http.route= c=d");
  expect(completed("k=v", typingAt("k=v", 3), "two words")).toBe('k="two words" ');
});
