import { useQuery } from "@tanstack/react-query";
import { type Ref, useEffect, useRef, useState } from "react";
import { attributeKeysQuery, attributeValuesQuery, operationsQuery, servicesQuery } from "../../api/traces.ts";
import { Combo, type Suggestion } from "../../design/combo.tsx";
import { compact } from "../../design/format.ts";
import { completed, KEYWORDS, parse, type Typing, typingAt, write } from "./querytext.ts";
import { ORDERS, type Question } from "./question.ts";

interface QueryBarProps {
  draft: Question;
  onChange: (question: Question) => void;
  onRun: (question: Question) => void;
  ref?: Ref<HTMLDivElement>;
}

/** The question as text. Typing changes the form at once; changes of the form rewrite the text. */
export function QueryBar({ draft, onChange, onRun, ref }: QueryBarProps) {
  const [text, setText] = useState(() => write(draft));
  const [caret, setCaret] = useState(text.length);
  const mine = useRef(draft);
  useEffect(() => {
    // a change that came from elsewhere; what is being typed stays as it is written
    if (draft !== mine.current) {
      mine.current = draft;
      setText(write(draft));
    }
  }, [draft]);
  const { question, problem } = parse(text);
  const typing = typingAt(text, caret);
  const suggestions = useSuggestions(question.service, typing);
  const change = (next: string, at: number) => {
    setText(next);
    setCaret(at);
    const parsed = parse(next).question;
    mine.current = parsed;
    onChange(parsed);
  };
  const unfinished = problem !== null && typing.part === "key" && typing.prefix !== "" && caret === text.length;
  return (
    <div className="query-bar" ref={ref}>
      <Combo
        className="mono"
        aria-label="Query"
        aria-invalid={problem !== null && !unfinished ? true : undefined}
        aria-describedby={problem === null ? undefined : "query-problem"}
        placeholder="all traces; try service=… http.response.status_code=500 duration>1s"
        value={text}
        onChange={change}
        suggestions={suggestions}
        onPick={({ label }) => {
          const next = completed(text, typing, label);
          change(next, next.length);
        }}
        onEnter={() => problem === null && onRun(question)}
      />
      {problem !== null && !unfinished && (
        <p id="query-problem" className="field-error">
          {problem}
        </p>
      )}
    </div>
  );
}

function useSuggestions(service: string, typing: Typing): Suggestion[] {
  const value = typing.part === "value";
  const key = value ? typing.key : "";
  const known = KEYWORDS.includes(key) || key === "operation";
  const services = useQuery(servicesQuery).data;
  const operations = useQuery({ ...operationsQuery(service), enabled: key === "op" || key === "operation" }).data;
  const keys = useQuery({ ...attributeKeysQuery(service, typing.prefix), enabled: !value }).data;
  const values = useQuery(attributeValuesQuery(service, known ? "" : key, typing.prefix)).data;
  const starting = (names: readonly string[] | undefined): Suggestion[] =>
    (names ?? [])
      .filter((name) => name.toLowerCase().includes(typing.prefix.toLowerCase()) && name !== typing.prefix)
      .slice(0, 100)
      .map((label) => ({ label }));
  if (!value) {
    const words = KEYWORDS.filter((word) => word.startsWith(typing.prefix)).map((label) => ({
      label,
      detail: "word of the query",
    }));
    return [...words, ...(keys ?? []).map((one) => ({ label: one.key, detail: one.levels.join(", ") }))];
  }
  if (key === "service") return starting(services);
  if (key === "op" || key === "operation") return starting(operations);
  if (key === "status") return starting(["error", "ok"]);
  if (key === "order") return starting(ORDERS);
  if (known) return [];
  return (values ?? [])
    .filter((one) => one.value !== typing.prefix)
    .map((one) => ({ label: one.value, detail: one.count > 0 ? compact(one.count) : undefined }));
}
