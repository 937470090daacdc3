// The frame: top bar, the page, on phones a bottom bar; the keys and overlays that work everywhere.
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { zoneName } from "../design/clock.ts";
import { Button } from "../design/controls.tsx";
import { config } from "./config.ts";
import { FindIcon, MarkIcon, ThemeIcon } from "./icons.tsx";
import { useKeys } from "./keys.ts";
import { Link } from "./link.tsx";
import { useCarried } from "./location.ts";
import { nextTheme, usePrefs } from "./prefs.ts";
import { TimeControl } from "./timecontrol.tsx";
import { UserMenu } from "./usermenu.tsx";

const Palette = lazy(() => import("./palette.tsx").then((module) => ({ default: module.Palette })));
const Help = lazy(() => import("./help.tsx").then((module) => ({ default: module.Help })));

export interface Place {
  readonly to: string;
  readonly name: string;
  readonly key: string;
}

/** The pages of the top bar and the keys that go there. */
export const PLACES: readonly Place[] = [
  ...(config.mode === "gateway" ? [{ to: "/", name: "Home", key: "g h" }] : []),
  { to: "/search", name: "Traces", key: "g t" },
  { to: "/dependencies", name: "Map", key: "g m" },
  { to: "/monitor", name: "Monitor", key: "g o" },
  { to: "/compare", name: "Compare", key: "g c" },
];

function isAt(place: Place, path: string): boolean {
  if (place.to === "/search") return path.startsWith("/search") || path.startsWith("/trace");
  return place.to === "/" ? path === "/" : path.startsWith(place.to);
}

const TIMELESS = /^\/(login|admin|profile)/;

export function Shell() {
  const path = useLocation({ select: (location) => location.pathname });
  const [overlay, setOverlay] = useState<"palette" | "help" | null>(null);
  useGlobalKeys(setOverlay);
  usePageTitle(path);
  if (path.startsWith("/login")) return <Outlet />;
  return (
    <>
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <div className="shell">
        <header className="top">
          <Link to={config.mode === "gateway" ? "/" : "/search"} className="top-name" title="YC Observability">
            <MarkIcon />
            <span>YC Observability</span>
          </Link>
          <nav className="top-places" aria-label="Pages">
            {PLACES.map((place) => (
              <Link key={place.to} to={place.to} className="top-place" current={isAt(place, path)}>
                {place.name}
              </Link>
            ))}
          </nav>
          <span className="spacer" />
          <button type="button" className="top-find" onClick={() => setOverlay("palette")}>
            <FindIcon />
            <span className="top-find-words">Trace ID or command</span>
            <span className="kbds" aria-hidden="true">
              <kbd>Ctrl K</kbd>
            </span>
          </button>
          {!TIMELESS.test(path) && <TimeControl />}
          <ZoneSwitch />
          <ThemeSwitch />
          <UserMenu />
        </header>
        <DevelopmentNotice />
        <main id="page" className="page" tabIndex={-1}>
          <Outlet />
        </main>
        <nav className="bottom" aria-label="Pages">
          {PLACES.map((place) => (
            <Link key={place.to} to={place.to} className="bottom-place" current={isAt(place, path)}>
              {place.name}
            </Link>
          ))}
        </nav>
      </div>
      <Suspense>
        {overlay === "palette" && <Palette onClose={() => setOverlay(null)} onHelp={() => setOverlay("help")} />}
        {overlay === "help" && <Help onClose={() => setOverlay(null)} />}
      </Suspense>
    </>
  );
}

function useGlobalKeys(open: (overlay: "palette" | "help") => void): void {
  const navigate = useNavigate();
  const held = useCarried();
  const prefs = usePrefs();
  useKeys("Everywhere", [
    { keys: "Ctrl+K", does: "trace id, service, page or action", run: () => open("palette"), inFields: true },
    ...PLACES.map((place) => ({
      keys: place.key,
      does: place.name.toLowerCase(),
      run: () => void navigate({ to: place.to as never, search: held as never }),
    })),
    {
      keys: "z",
      does: "time zone: UTC or the browser's",
      run: () => prefs.set({ zone: prefs.zone === "utc" ? "browser" : "utc" }),
    },
    { keys: "Shift+T", does: "theme", run: () => prefs.set({ theme: nextTheme(prefs.theme) }) },
    { keys: "?", does: "all keys", run: () => open("help") },
  ]);
}

function usePageTitle(path: string): void {
  useEffect(() => {
    const place = PLACES.find((one) => isAt(one, path));
    const name = path.startsWith("/trace/")
      ? "Trace"
      : (place?.name ?? (path.startsWith("/admin") ? "Users" : "Profile"));
    document.title = `${name} · YC Observability`;
  }, [path]);
}

function ZoneSwitch() {
  const zone = usePrefs((state) => state.zone);
  const set = usePrefs((state) => state.set);
  return (
    <Button
      look="quiet"
      className="hide-small"
      title="Switch between UTC and the browser's zone (z)"
      onClick={() => set({ zone: zone === "utc" ? "browser" : "utc" })}
    >
      {zoneName(zone)}
    </Button>
  );
}

function ThemeSwitch() {
  const theme = usePrefs((state) => state.theme);
  const set = usePrefs((state) => state.set);
  return (
    <Button
      look="quiet"
      className="button-icon"
      aria-label={`Theme: ${theme}. Switch`}
      title={`Theme: ${theme} (Shift+T)`}
      onClick={() => set({ theme: nextTheme(theme) })}
    >
      <ThemeIcon />
    </Button>
  );
}

/** The password that everybody knows is pointed out until it is changed. */
function DevelopmentNotice() {
  if (!config.defaultPassword || config.user === null) return null;
  return (
    <div className="notice shell-notice">
      <b>Development mode.</b> This account still has the password it came with; production mode refuses to start with
      it. <Link to="/profile">Change it</Link>
    </div>
  );
}
