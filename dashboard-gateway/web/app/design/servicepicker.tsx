import { useEffect, useId, useState } from "react";
import { Input } from "./controls.tsx";
import { ServiceSwatch } from "./service.tsx";
import "./servicepicker.css";

interface ServicePickerProps {
  services: readonly string[];
  value: string;
  onChange: (service: string) => void;
}

/** A service by name: typed with completion, taken when it is one that exists. */
export function ServicePicker({ services, value, onChange }: ServicePickerProps) {
  const [text, setText] = useState(value);
  const id = useId();
  useEffect(() => setText(value), [value]);
  const take = (next: string) => {
    setText(next);
    if (next !== value && services.includes(next)) onChange(next);
  };
  return (
    <span className="service-picker">
      {value !== "" && <ServiceSwatch name={value} />}
      <Input
        list={id}
        aria-label="Service"
        value={text}
        onChange={(event) => take(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={() => setText(value)}
      />
      <datalist id={id}>
        {services.map((service) => (
          <option key={service} value={service} />
        ))}
      </datalist>
    </span>
  );
}
