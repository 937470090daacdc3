import { type ComponentProps, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Text } from "./text.tsx";
import "./combo.css";

export interface Suggestion {
  /** What is shown and, unless `insert` differs, written into the field. */
  readonly label: string;
  readonly detail?: string | undefined;
  readonly insert?: string;
}

type Native = Omit<ComponentProps<"input">, "value" | "onChange" | "onSubmit">;

interface ComboProps extends Native {
  value: string;
  onChange: (value: string, caret: number) => void;
  suggestions: readonly Suggestion[];
  onPick: (suggestion: Suggestion) => void;
  /** `Enter` while no suggestion is pointed at. */
  onEnter?: (() => void) | undefined;
}

/** A text field with suggestions; whatever is typed counts, nothing has to be picked. */
export function Combo({ value, onChange, suggestions, onPick, onEnter, className = "", ...rest }: ComboProps) {
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const shown = open && suggestions.length > 0;
  const current = Math.min(at, suggestions.length - 1);
  useEffect(() => {
    if (current >= 0) list.current?.children[current]?.scrollIntoView({ block: "nearest" });
  }, [current]);
  const pick = (suggestion: Suggestion) => {
    onPick(suggestion);
    setAt(-1);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = suggestions[current];
    if (event.key === "ArrowDown" && !shown) setOpen(true);
    else if (event.key === "ArrowDown") setAt(Math.min(current + 1, suggestions.length - 1));
    else if (event.key === "ArrowUp" && shown) setAt(Math.max(current - 1, -1));
    else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      if (shown && chosen !== undefined) pick(chosen);
      else {
        setOpen(false);
        onEnter?.();
      }
    } else if (event.key === "Tab" && shown && chosen !== undefined) pick(chosen);
    else if (event.key === "Escape" && shown) {
      setOpen(false);
      setAt(-1);
      event.nativeEvent.stopImmediatePropagation();
    } else return;
    event.preventDefault();
  };
  return (
    <div className="combo">
      <input
        {...rest}
        ref={field}
        className={`input ${className}`}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls={shown ? `${id}-list` : undefined}
        aria-activedescendant={shown && current >= 0 ? `${id}-${current}` : undefined}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={value}
        onChange={(event) => {
          setOpen(true);
          setAt(-1);
          onChange(event.target.value, event.target.selectionStart ?? event.target.value.length);
        }}
        onClick={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          setAt(-1);
        }}
        onKeyDown={onKeyDown}
      />
      {shown && (
        <div className="combo-list" role="listbox" id={`${id}-list`} aria-label="Suggestions" ref={list}>
          {suggestions.map((suggestion, index) => (
            <div
              key={suggestion.label}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === current}
              className="combo-item"
              // before the field loses its focus
              onPointerDown={(event) => {
                event.preventDefault();
                pick(suggestion);
              }}
            >
              <span className="cut">
                <Text value={suggestion.label} />
              </span>
              {suggestion.detail !== undefined && <span className="faint small">{suggestion.detail}</span>}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
