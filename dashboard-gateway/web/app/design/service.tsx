import { createContext, type ReactNode, useContext, useMemo } from "react";
import { type Swatch, slotOf, swatches } from "./colour.ts";
import { Text } from "./text.tsx";
import "./service.css";

const View = createContext<ReadonlyMap<string, Swatch> | null>(null);

/** Tells the swatches below which services share the view, so that two in one slot can be told apart by form. */
export function ServiceView({ names, children }: { names: readonly string[]; children: ReactNode }) {
  const key = names.join("\0");
  const map = useMemo(() => swatches(key.split("\0")), [key]);
  return <View value={map}>{children}</View>;
}

/** The 4 px colour of a service. Never alone: the name stands beside it or in the row. */
export function ServiceSwatch({ name, tall = false }: { name: string; tall?: boolean }) {
  const swatch = useContext(View)?.get(name) ?? { slot: slotOf(name), split: false };
  return (
    <i
      aria-hidden="true"
      className={`swatch slot-${swatch.slot}${swatch.split ? " swatch-split" : ""}${tall ? " swatch-tall" : ""}`}
    />
  );
}

export function ServiceName({ name }: { name: string }) {
  return (
    <span className="service">
      <ServiceSwatch name={name} />
      <Text value={name} />
    </span>
  );
}
