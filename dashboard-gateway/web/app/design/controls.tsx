// Controls: buttons, fields, the segmented switch, chips. They take props and know no page.
import { type ComponentProps, type ReactNode, useId } from "react";
import { Text } from "./text.tsx";

type ButtonProps = ComponentProps<"button"> & { look?: "plain" | "primary" | "quiet" | "icon" };

export function Button({ look = "plain", className = "", type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={`button button-${look} ${className}`} {...rest} />;
}

interface FieldProps {
  label: ReactNode;
  /** What is wrong with the value, in words; stands beside the field. */
  error?: string | null | undefined;
  hint?: ReactNode;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
}

/** A labelled control with its error and hint tied to it for assistive technology. */
export function Field({ label, error, hint, children }: FieldProps) {
  const id = useId();
  const described = error || hint ? { "aria-describedby": `${id}-note` } : {};
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...described, ...(error ? { "aria-invalid": true as const } : {}) })}
      {(error || hint) && (
        <div id={`${id}-note`} className={error ? "field-error" : "field-hint"} role={error ? "alert" : undefined}>
          {error || hint}
        </div>
      )}
    </div>
  );
}

export function Input({ className = "", ...rest }: ComponentProps<"input">) {
  return <input className={`input ${className}`} {...rest} />;
}

export function Select({ className = "", ...rest }: ComponentProps<"select">) {
  return <select className={`input select ${className}`} {...rest} />;
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: ReactNode;
}

interface SegmentedProps<T extends string> {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
  className?: string;
}

/** One of a few, all of them visible. */
export function Segmented<T extends string>({ label, value, choices, onChange, className = "" }: SegmentedProps<T>) {
  return (
    <fieldset className={`segmented ${className}`} aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          onClick={() => onChange(choice.value)}
        >
          {choice.label}
        </button>
      ))}
    </fieldset>
  );
}

interface ChipProps {
  name: string;
  operator?: string;
  value: string;
  onRemove: () => void;
  onEdit?: () => void;
}

/** `key=value ×` */
export function Chip({ name, operator = "=", value, onRemove, onEdit }: ChipProps) {
  const body = (
    <>
      <Text value={name} />
      {operator}
      <b>
        <Text value={value} />
      </b>
    </>
  );
  return (
    <span className="chip">
      {onEdit ? (
        <button type="button" className="chip-body" onClick={onEdit} title="edit">
          {body}
        </button>
      ) : (
        <span className="chip-body">{body}</span>
      )}
      <button type="button" className="chip-remove" onClick={onRemove} aria-label={`remove ${name}`}>
        ×
      </button>
    </span>
  );
}

/** A key of the keyboard, as printed on it. */
export function Kbd({ keys }: { keys: string }) {
  const steps = keys.split(" ").map((step, index) => ({ step, index }));
  return (
    <span className="kbds">
      {steps.map(({ step, index }) => (
        <kbd key={index}>{step}</kbd>
      ))}
    </span>
  );
}

/** A small coloured word; only for states that are not as usual. */
export function Badge({ tone, children }: { tone: "err" | "warn" | "neutral"; children: ReactNode }) {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}
