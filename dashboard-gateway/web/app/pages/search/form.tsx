import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { attributeKeysQuery, attributeValuesQuery, operationsQuery, servicesQuery } from "../../api/traces.ts";
import { Combo, type Suggestion } from "../../design/combo.tsx";
import { Button, Chip, Field, Input, Kbd, Segmented, Select } from "../../design/controls.tsx";
import { compact, parseDuration } from "../../design/format.ts";
import {
  isOrder,
  limitOf,
  ORDER_NAMES,
  ORDERS,
  type Question,
  statusOf,
  withoutTag,
  withStatus,
  withTag,
} from "./question.ts";
import { SavedSearches } from "./saved.tsx";

interface FormProps {
  draft: Question;
  onChange: (question: Question) => void;
  onRun: (question?: Question) => void;
  live: boolean;
  onLive: () => void;
}

const STATUSES = [
  { value: "any", label: "Any" },
  { value: "error", label: "Error" },
  { value: "ok", label: "OK" },
] as const;

function matching(names: readonly string[] | undefined, typed: string): Suggestion[] {
  const wanted = typed.toLowerCase();
  if (names === undefined || names.includes(typed)) return (names ?? []).slice(0, 200).map((label) => ({ label }));
  return names
    .filter((name) => name.toLowerCase().includes(wanted))
    .slice(0, 200)
    .map((label) => ({ label }));
}

/** The form: what it holds is the draft that the query text also writes. */
export function SearchForm({ draft, onChange, onRun, live, onLive }: FormProps) {
  const services = useQuery(servicesQuery).data;
  const operations = useQuery(operationsQuery(draft.service)).data;
  const run = () => onRun();
  return (
    <search className="search-form">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onRun();
        }}
      >
        <Field label="Service">
          {(ids) => (
            <Combo
              {...ids}
              placeholder={services === undefined ? "all services" : `all ${services.length} services`}
              value={draft.service}
              onChange={(service) => onChange({ ...draft, service })}
              suggestions={matching(services, draft.service)}
              onPick={({ label }) => onChange({ ...draft, service: label, operation: "" })}
              onEnter={run}
            />
          )}
        </Field>
        <Field label="Operation">
          {(ids) => (
            <Combo
              {...ids}
              placeholder={operations === undefined ? "any operation" : `any of ${operations.length}`}
              value={draft.operation}
              onChange={(operation) => onChange({ ...draft, operation })}
              suggestions={matching(operations, draft.operation)}
              onPick={({ label }) => onChange({ ...draft, operation: label })}
              onEnter={run}
            />
          )}
        </Field>
        <Attributes draft={draft} onChange={onChange} onRun={run} />
        <div className="field">
          <span className="field-name">Status</span>
          <Segmented
            label="Status"
            value={statusOf(draft)}
            choices={STATUSES}
            onChange={(status) => onChange(withStatus(draft, status))}
          />
        </div>
        <Durations draft={draft} onChange={onChange} />
        <div className="search-pair">
          <Field label="Limit">
            {(ids) => (
              <Input
                {...ids}
                inputMode="numeric"
                defaultValue={draft.limit}
                key={draft.limit}
                onBlur={(event) => onChange({ ...draft, limit: limitOf(event.target.value) })}
              />
            )}
          </Field>
          <Field label="Order">
            {(ids) => (
              <Select
                {...ids}
                value={draft.order}
                onChange={(event) => isOrder(event.target.value) && onChange({ ...draft, order: event.target.value })}
              >
                {ORDERS.map((order) => (
                  <option key={order} value={order}>
                    {ORDER_NAMES[order]}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <div className="search-run">
          <Button look="primary" type="submit">
            Find traces
          </Button>
          <Button aria-pressed={live} onClick={onLive}>
            Live tail
          </Button>
        </div>
        <p className="tiny faint hide-small">
          <Kbd keys="Ctrl+Enter" /> runs · <Kbd keys="l" /> live tail
        </p>
      </form>
      <SavedSearches />
    </search>
  );
}

interface PartProps {
  draft: Question;
  onChange: (question: Question) => void;
}

function Attributes({ draft, onChange, onRun }: PartProps & { onRun: () => void }) {
  const [text, setText] = useState("");
  const at = text.indexOf("=");
  const [key, prefix] = at < 0 ? ["", text] : [text.slice(0, at).trim(), text.slice(at + 1)];
  const keys = useQuery({ ...attributeKeysQuery(draft.service, at < 0 ? prefix.trim() : ""), enabled: at < 0 }).data;
  const values = useQuery(attributeValuesQuery(draft.service, key, prefix)).data;
  const add = (pair: string) => {
    const cut = pair.indexOf("=");
    if (cut <= 0) return false;
    onChange(withTag(draft, { key: pair.slice(0, cut).trim(), value: pair.slice(cut + 1) }));
    setText("");
    return true;
  };
  const suggestions: Suggestion[] =
    at < 0
      ? (keys ?? []).map((one) => ({ label: one.key, detail: one.levels.join(", ") }))
      : (values ?? []).map((one) => ({ label: one.value, detail: one.count > 0 ? compact(one.count) : undefined }));
  const shown = draft.tags.filter((tag) => tag.key !== "error");
  return (
    <Field
      label={
        <>
          Attributes <span className="faint">all on one span</span>
        </>
      }
    >
      {(ids) => (
        <>
          {shown.map((tag) => (
            <Chip
              key={tag.key}
              name={tag.key}
              value={tag.value}
              onRemove={() => onChange(withoutTag(draft, tag.key))}
              onEdit={() => {
                setText(`${tag.key}=${tag.value}`);
                onChange(withoutTag(draft, tag.key));
              }}
            />
          ))}
          <Combo
            {...ids}
            className="mono"
            placeholder="key=value"
            value={text}
            onChange={setText}
            suggestions={suggestions}
            onPick={({ label }) => (at < 0 ? setText(`${label}=`) : add(`${key}=${label}`))}
            onEnter={() => {
              if (text.trim() === "") onRun();
              else add(text);
            }}
            onBlurCapture={() => add(text)}
          />
        </>
      )}
    </Field>
  );
}

const OF = [
  { value: "span", label: "span" },
  { value: "trace", label: "trace" },
] as const;

function Durations({ draft, onChange }: PartProps) {
  const ofTrace = draft.minTraceDuration !== "" || draft.maxTraceDuration !== "";
  const [of, setOf] = useState<"span" | "trace">(ofTrace ? "trace" : "span");
  const shown = ofTrace && draft.minDuration === "" && draft.maxDuration === "" ? "trace" : of;
  const [min, max] =
    shown === "span" ? [draft.minDuration, draft.maxDuration] : [draft.minTraceDuration, draft.maxTraceDuration];
  const set = (part: "min" | "max", text: string) => {
    const key = `${part}${shown === "span" ? "" : "Trace"}Duration` as const;
    onChange({ ...draft, [key]: text.trim() });
  };
  const bad = (text: string) => (text !== "" && parseDuration(text) === null ? "Write 500ms, 1.5s, 2m" : null);
  return (
    <fieldset className="search-durations">
      <legend className="search-legend">
        <span className="field-name">Duration of a</span>
        <Segmented
          label="Duration of"
          value={shown}
          choices={OF}
          className="segmented-small"
          onChange={(next) => {
            setOf(next);
            onChange({
              ...draft,
              minDuration: next === "span" ? min : "",
              maxDuration: next === "span" ? max : "",
              minTraceDuration: next === "trace" ? min : "",
              maxTraceDuration: next === "trace" ? max : "",
            });
          }}
        />
      </legend>
      <div className="search-pair">
        {(["min", "max"] as const).map((part) => {
          const text = part === "min" ? min : max;
          return (
            <Field key={part} label={<span className="visually-hidden">{part}imum</span>} error={bad(text)}>
              {(ids) => (
                <Input
                  {...ids}
                  placeholder={part === "min" ? "min, 500ms" : "max, 10s"}
                  value={text}
                  onChange={(event) => set(part, event.target.value)}
                />
              )}
            </Field>
          );
        })}
      </div>
    </fieldset>
  );
}
