// Ctrl+K: a trace id, a service, an operation (after "service "), a page or an action.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { operationsQuery, servicesQuery } from "../api/traces.ts";
import { Dialog } from "../design/dialog.tsx";
import { visible } from "../design/hostile.ts";
import { ServiceSwatch } from "../design/service.tsx";
import { Text } from "../design/text.tsx";
import { config } from "./config.ts";
import { type Params, useCarried } from "./location.ts";
import { nextTheme, usePrefs } from "./prefs.ts";
import { PLACES } from "./shell.tsx";
import { traceIdOf } from "./traceid.ts";
import "./palette.css";

interface Item {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly service?: string;
  readonly run: () => void;
}

const SHOWN_MAX = 12;

export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const items = useItems(text, onClose, onHelp);
  const current = Math.min(at, items.length - 1);
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: "nearest" });
  }, [current]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(current + 1, items.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(current - 1, 0));
    else if (event.key === "Enter") items[current]?.run();
    else return;
    event.preventDefault();
  };
  return (
    <Dialog label="Go to" onClose={onClose} bare>
      <input
        className="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={items.length > 0 ? `${id}-${current}` : undefined}
        aria-label="Trace id, service, operation, page or action"
        placeholder="Trace ID, service, operation, page or action"
        autoFocus
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div className="palette-list" role="listbox" id={`${id}-list`} aria-label="Matches" ref={list}>
        {items.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys act in the input (aria-activedescendant)
          <div
            key={item.id}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            className="palette-item"
            onClick={item.run}
            onPointerMove={() => setAt(index)}
          >
            {item.service !== undefined && <ServiceSwatch name={item.service} />}
            <span className="cut">
              <Text value={item.name} />
            </span>
            <span className="faint small">{item.kind}</span>
          </div>
        ))}
      </div>
      {items.length === 0 && <p className="palette-none">Nothing is called “{visible(text)}”.</p>}
    </Dialog>
  );
}

function useItems(text: string, onClose: () => void, onHelp: () => void): Item[] {
  const navigate = useNavigate();
  const held = useCarried();
  const { theme, zone, set } = usePrefs();
  const services = useQuery(servicesQuery).data;
  const owner = useMemo(
    () =>
      (services ?? [])
        .filter((name) => text.toLowerCase().startsWith(`${name.toLowerCase()} `))
        .sort((a, b) => b.length - a.length)[0] ?? "",
    [services, text],
  );
  const operations = useQuery(operationsQuery(owner)).data;
  const go = (to: string, params: Params = {}) => {
    onClose();
    void navigate({ to: to as never, search: { ...held, ...params } as never });
  };
  const act = (run: () => void) => () => {
    onClose();
    run();
  };
  const items: Item[] = [];
  const traceId = traceIdOf(text);
  if (traceId !== null) {
    items.push({ id: "trace", kind: "open trace", name: traceId, run: () => go(`/trace/${traceId}`) });
  }
  if (owner !== "") {
    const wanted = text.slice(owner.length + 1).toLowerCase();
    for (const name of (operations ?? []).filter((one) => one.toLowerCase().includes(wanted))) {
      items.push({
        id: `operation ${name}`,
        kind: "traces of operation",
        name,
        service: owner,
        run: () => go("/search", { service: owner, operation: name }),
      });
    }
  }
  const wanted = text.trim().toLowerCase();
  const says = (name: string) => name.toLowerCase().includes(wanted);
  for (const place of PLACES)
    if (says(place.name)) items.push({ id: place.to, kind: "page", name: place.name, run: () => go(place.to) });
  for (const name of services ?? []) {
    if (!says(name)) continue;
    items.push({
      id: `traces ${name}`,
      kind: "traces",
      name,
      service: name,
      run: () => go("/search", { service: name }),
    });
    items.push({
      id: `monitor ${name}`,
      kind: "monitor",
      name,
      service: name,
      run: () => go("/monitor", { service: name }),
    });
  }
  const actions: readonly (readonly [string, () => void])[] = [
    ["Switch theme", () => set({ theme: nextTheme(theme) })],
    ["Switch time zone", () => set({ zone: zone === "utc" ? "browser" : "utc" })],
    ["Keys", onHelp],
    ...(config.user?.role === "Admin" ? [["Users and tokens", () => go("/admin/users")] as const] : []),
    ...(config.mode === "gateway" ? [["Profile and password", () => go("/profile")] as const] : []),
  ];
  for (const [name, run] of actions) if (says(name)) items.push({ id: name, kind: "action", name, run: act(run) });
  return items.slice(0, Math.max(SHOWN_MAX, traceId === null ? 0 : 1) * 4);
}
