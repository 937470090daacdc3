// System architecture: who calls whom, how often, with which errors and how long it takes, live from the stored spans.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { graphQuery } from "../../api/traces.ts";
import { useKeys } from "../../app/keys.ts";
import { Link } from "../../app/link.tsx";
import { one, useParams, useSetParams, useTime } from "../../app/location.ts";
import { Button, Input, Segmented, Select } from "../../design/controls.tsx";
import { compact, percent, plural } from "../../design/format.ts";
import { CostLine, Foot, PageBody, PageHead } from "../../design/page.tsx";
import { ServiceName, ServiceView } from "../../design/service.tsx";
import { Busy, Empty, Partial, Problem } from "../../design/states.tsx";
import { EdgeTable } from "./edgetable.tsx";
import { around } from "./layout.ts";
import { ServiceMap } from "./map.tsx";
import { type Edge, type Model, modelOf } from "./model.ts";
import "./dependencies.css";

const DEPTHS = ["1", "2", "3", "all"] as const;
const VIEWS = ["both", "map", "table"] as const;
type View = (typeof VIEWS)[number];

const NOTHING: Model = { nodes: [], edges: [] };

export function DependenciesPage() {
  const params = useParams();
  const setParams = useSetParams();
  const { range, then } = useTime();
  const query = useQuery(graphQuery(range, then));
  const seconds = (range.endMs - range.startMs) / 1000;
  const model = useMemo(() => (query.data ? modelOf(query.data, seconds) : NOTHING), [query.data, seconds]);
  const names = useMemo(() => model.nodes.map((node) => node.name), [model]);

  const held = one(params, "focus");
  const focus = held !== undefined && names.includes(held) ? held : null;
  const depth = one(params, "depth") ?? "all";
  const view: View = VIEWS.find((each) => each === one(params, "view")) ?? "both";
  const shown = useMemo(() => {
    if (focus === null) return model;
    const near = around(model.edges, focus, depth === "all" ? Number.POSITIVE_INFINITY : Number(depth));
    return depth === "all"
      ? model
      : {
          nodes: model.nodes.filter((node) => near.has(node.name)),
          edges: model.edges.filter((edge) => near.has(edge.caller) && near.has(edge.callee)),
        };
  }, [model, focus, depth]);
  const [selected, setSelected] = useState<string | null>(null);
  const [find, setFind] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const scroll = useRef<HTMLDivElement>(null);

  const setFocus = (name: string | null) => setParams({ focus: name ?? undefined });
  const search = (text: string) => {
    setFind(text);
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return;
    const hit = names.find((name) => name.toLowerCase() === wanted);
    if (hit !== undefined) setFocus(hit);
  };
  const open = () => {
    const wanted = find.trim().toLowerCase();
    const hit = names.find((name) => name.toLowerCase().includes(wanted));
    if (wanted !== "" && hit !== undefined) setFocus(hit);
  };
  useKeys("Map", [
    { keys: "/", does: "find a service", run: () => field.current?.focus() },
    { keys: "u", does: "clear the focus", run: () => setFocus(null) },
    ...DEPTHS.map((each, at) => ({
      keys: at === 3 ? "0" : each,
      does: each === "all" ? "show all calls" : `show ${each} ${each === "1" ? "call" : "calls"} around the focus`,
      run: () => setParams({ depth: each === "all" ? undefined : each }),
    })),
  ]);

  return (
    <ServiceView names={names}>
      <PageHead
        title="System architecture"
        knobs={
          <>
            <Input
              ref={field}
              className="map-find"
              list="map-services"
              placeholder="Find a service"
              aria-label="Find a service"
              value={find}
              onChange={(event) => search(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter") open();
              }}
            />
            <datalist id="map-services">
              {names.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
            <Select
              aria-label="Depth around the focus"
              className="map-depth"
              value={depth}
              disabled={focus === null}
              onChange={(event) => setParams({ depth: event.target.value === "all" ? undefined : event.target.value })}
            >
              {DEPTHS.map((each) => (
                <option key={each} value={each}>
                  Depth: {each}
                </option>
              ))}
            </Select>
            <Segmented
              label="View"
              value={view}
              choices={[
                { value: "both", label: "Map and table" },
                { value: "map", label: "Map" },
                { value: "table", label: "Table" },
              ]}
              onChange={(next) => setParams({ view: next === "both" ? undefined : next }, true)}
            />
          </>
        }
      >
        <Sentence model={model} spans={query.data?.cost.spans ?? 0} />
      </PageHead>
      <Busy busy={query.isFetching} words="Joining the calls between services" />
      {query.data && <Partial missing={query.data.partial} />}
      {focus !== null && (
        <div className="map-focus">
          <ServiceName name={focus} />
          <Link to="/monitor" params={{ service: focus }}>
            Monitor
          </Link>
          <Link to="/search" params={{ service: focus }}>
            Traces
          </Link>
          <Button look="quiet" onClick={() => setFocus(null)}>
            Clear focus
          </Button>
        </div>
      )}
      <PageBody ref={scroll} className={`map-page map-view-${view}`}>
        {query.error && <Problem what="The map" error={query.error} onRetry={() => void query.refetch()} />}
        {query.data && model.nodes.length === 0 && !query.error && (
          <Empty title="No calls between services in this range">
            <p>
              The map is drawn from spans whose parent belongs to another service. Widen the range, or{" "}
              <Link to="/search">look for traces</Link>.
            </p>
          </Empty>
        )}
        {model.nodes.length > 0 && view !== "table" && (
          <ServiceMap model={shown} focus={focus} selected={selected} onFocus={setFocus} onSelect={setSelected} />
        )}
        {model.nodes.length > 0 && view !== "map" && (
          <EdgeTable
            edges={shown.edges}
            scroll={scroll}
            selected={selected}
            onSelect={(edge: Edge) => setSelected(edge.key === selected ? null : edge.key)}
          />
        )}
      </PageBody>
      <Foot end={<span>red: errors over 1 % · amber: p95 over 1.5 × the compared range</span>}>
        <CostLine answer={query.data} />
      </Foot>
    </ServiceView>
  );
}

function Sentence({ model, spans }: { model: Model; spans: number }) {
  const worst = useMemo(
    () => model.edges.filter((edge) => edge.state === "broken").sort((a, b) => b.errorShare - a.errorShare)[0],
    [model],
  );
  if (model.nodes.length === 0) return null;
  return (
    <span className="soft">
      {plural(model.nodes.length, "service")}, {plural(model.edges.length, "edge")}
      {spans > 0 && `, live from ${compact(spans)} spans`}
      {worst && (
        <>
          {" · worst: "}
          <ServiceName name={worst.caller} /> → <ServiceName name={worst.callee} />{" "}
          <b className="err">! {percent(worst.errorShare)} errors</b>
        </>
      )}
    </span>
  );
}
