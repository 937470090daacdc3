import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { overviewQuery } from "../../api/traces.ts";
import type { Overview, OverviewService } from "../../api/wire.ts";
import { useKeys } from "../../app/keys.ts";
import { one, useParams, useSetParams, useTime } from "../../app/location.ts";
import { usePrefs } from "../../app/prefs.ts";
import { stepSeconds, VERSUS_WORDS } from "../../app/range.ts";
import { clockMinute, dayMinute } from "../../design/clock.ts";
import { Badge, Input, Kbd, Segmented } from "../../design/controls.tsx";
import { plural } from "../../design/format.ts";
import { visible } from "../../design/hostile.ts";
import { CostLine, Foot, PageBody, PageHead } from "../../design/page.tsx";
import { ServiceView } from "../../design/service.tsx";
import { Busy, Partial, Problem } from "../../design/states.tsx";
import { FirstStart, NoCalls } from "./empty.tsx";
import { groups, isOrder, type Order, versions } from "./model.ts";
import { ServiceRow } from "./row.tsx";
import { ServiceData } from "./servicedata.tsx";
import "./home.css";

const ORDERS = [
  { value: "broken", label: "Broken first" },
  { value: "busy", label: "Busiest" },
  { value: "name", label: "A–Z" },
] as const;

/** Every service with rate, errors and p95 beside the compared time; what is broken comes first and says why. */
export function HomePage() {
  const time = useTime();
  const step = stepSeconds(time.range);
  const overview = useQuery(overviewQuery(time.range, time.then, step));
  const params = useParams();
  const setParams = useSetParams();
  const filter = useRef<HTMLInputElement>(null);
  const given = one(params, "order");
  const order: Order = isOrder(given) ? given : "broken";
  const text = one(params, "filter") ?? "";
  useKeys("Services", [{ keys: "/", does: "filter services", run: () => filter.current?.focus() }]);
  const { data } = overview;
  return (
    <>
      <PageHead
        title={data ? plural(data.services.length, "service") : "Services"}
        knobs={
          data && data.services.length > 0 ? (
            <>
              <div className="filter">
                <Input
                  ref={filter}
                  type="search"
                  aria-label="Filter services"
                  placeholder="Filter services"
                  value={text}
                  onChange={(event) => setParams({ filter: event.target.value || undefined }, true)}
                />
                <Kbd keys="/" />
              </div>
              <Segmented
                label="Order"
                value={order}
                choices={ORDERS}
                onChange={(value) => setParams({ order: value === "broken" ? undefined : value }, true)}
              />
            </>
          ) : undefined
        }
      >
        {data && <Counts services={data.services} word={VERSUS_WORDS[time.versus].word} />}
      </PageHead>
      <Busy busy={overview.isFetching} words="Asking for rates, errors and durations of all services" />
      <PageBody>
        {overview.isError && (
          <Problem what="The services" error={overview.error} onRetry={() => void overview.refetch()} />
        )}
        {data && <Partial missing={data.partial} />}
        {data && data.services.length === 0 && (data.dataFrom === "0" ? <FirstStart /> : <NoCalls answer={data} />)}
        {data && data.services.length > 0 && <Services data={data} order={order} filter={text} />}
      </PageBody>
      <HomeFoot data={data} />
    </>
  );
}

function Counts({ services, word }: { services: readonly OverviewService[]; word: string }) {
  const count = (state: OverviewService["state"]) => services.filter((service) => service.state === state).length;
  const [broken, slower, usual] = [count("broken"), count("slower"), count("usual")];
  if (services.length === 0) return null;
  return (
    <>
      {broken > 0 && <Badge tone="err">{broken} broken</Badge>}
      {slower > 0 && <Badge tone="warn">{slower} slower</Badge>}
      <span className="faint">
        {broken + slower === 0 ? `all as usual${word === "" ? "" : `, measured against ${word}`}` : `${usual} as usual`}
      </span>
    </>
  );
}

interface ServicesProps {
  data: Overview;
  order: Order;
  filter: string;
}

function Services({ data, order, filter }: ServicesProps) {
  const { range, versus } = useTime();
  const zone = usePrefs((state) => state.zone);
  const [shown, setShown] = useState<OverviewService | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const word = VERSUS_WORDS[versus].word;
  const shownGroups = useMemo(() => groups(data.services, order, filter, word), [data, order, filter, word]);
  const names = useMemo(() => data.services.map((service) => service.name), [data]);
  const marks = useMemo(() => {
    const length = range.endMs - range.startMs;
    return versions(data.services)
      .map(({ ms }) => (ms - range.startMs) / length)
      .filter((at) => at > 0 && at < 1);
  }, [data, range]);
  const seconds = (Number(data.end) - Number(data.start)) / 1e9;
  useKeys("Services", [
    { keys: "j", does: "next service", run: () => moveFocus(list.current, 1) },
    { keys: "k", does: "service before", run: () => moveFocus(list.current, -1) },
    {
      keys: "d",
      does: "numbers behind the lines of the focused service",
      run: () => setShown(focusedService(list.current, data.services)),
    },
  ]);
  const onArrow = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    moveFocus(list.current, event.key === "ArrowDown" ? 1 : -1);
  };
  const days = range.endMs - range.startMs > 36 * 3600e3;
  const quarter = (range.endMs - range.startMs) / 3;
  const labels = [0, 1, 2, 3].map((index) => {
    const ms = range.startMs + index * quarter;
    return days ? dayMinute(ms, zone).split(" ").slice(0, 2).join(" ") : clockMinute(ms, zone);
  });
  return (
    <ServiceView names={names}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrows move between the links inside */}
      <div className="home" ref={list} onKeyDown={onArrow}>
        <div className="home-cols" aria-hidden="true">
          <span>Service</span>
          {["Rate", "Errors", "p95"].map((name) => (
            <span key={name} className="home-cell">
              <span className="right">{name}</span>
              <span className="home-axis">
                {labels.map((label, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: four places of one axis
                  <span key={index}>{label}</span>
                ))}
              </span>
            </span>
          ))}
        </div>
        {shownGroups.map((group) => (
          <section key={group.title} aria-label={group.title || "Services"}>
            {group.title !== "" && (
              <header className="home-group">
                <h2 className={group.state === "broken" ? "err" : group.state === "slower" ? "warn" : "faint"}>
                  {group.title}
                </h2>
                <span className="faint small">{group.services.length}</span>
              </header>
            )}
            {group.services.map((service) => (
              <ServiceRow
                key={service.name}
                service={service}
                seconds={seconds}
                marks={marks}
                word={word}
                onData={setShown}
              />
            ))}
          </section>
        ))}
        {shownGroups.every((group) => group.services.length === 0) && (
          <p className="home-none">No service is called “{visible(filter)}”.</p>
        )}
      </div>
      {shown && <ServiceData service={shown} data={data} onClose={() => setShown(null)} />}
    </ServiceView>
  );
}

function moveFocus(list: HTMLElement | null, step: 1 | -1): void {
  const links = [...(list?.querySelectorAll<HTMLElement>(".home-link") ?? [])];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, at + step));
  links[next]?.focus();
}

function focusedService(list: HTMLElement | null, services: readonly OverviewService[]): OverviewService | null {
  const row =
    document.activeElement?.closest<HTMLElement>(".home-row") ?? list?.querySelector<HTMLElement>(".home-row");
  return services.find((service) => service.name === row?.dataset.service) ?? null;
}

function HomeFoot({ data }: { data: Overview | undefined }) {
  const { versus } = useTime();
  const zone = usePrefs((state) => state.zone);
  const { word, name } = VERSUS_WORDS[versus];
  const events = useMemo(() => versions(data?.services ?? []), [data]);
  return (
    <Foot end={<CostLine answer={data} />}>
      {word !== "" && (
        <span>
          <i className="key-ghost" aria-hidden="true" /> {name.toLowerCase()}
        </span>
      )}
      {events.slice(0, 2).map((event) => (
        <span key={event.label + event.service} className="cut hide-small">
          <i className="key-mark" aria-hidden="true" /> {clockMinute(event.ms, zone)} {visible(event.service)}{" "}
          {visible(event.label)} first seen
        </span>
      ))}
      {data && (
        <span className="hide-medium cut" title={data.rule}>
          {data.rule}
        </span>
      )}
    </Foot>
  );
}
