// All paths of the app. Pages are chunks of their own, fetched when their link is pointed at.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  useParams as useRouteParams,
} from "@tanstack/react-router";
import { type ComponentType, lazy, Suspense } from "react";
import { whenSignedOut } from "../api/client.ts";
import { Empty, Problem } from "../design/states.tsx";
import { config } from "./config.ts";
import { Link } from "./link.tsx";
import { parseParams, writeParams } from "./location.ts";
import { safeReturn } from "./return.ts";
import { Shell } from "./shell.tsx";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <Empty title="There is no page here.">
      <p>
        <Link to="/search">Search traces</Link>
      </p>
    </Empty>
  ),
  errorComponent: ({ error, reset }) => <Problem what="This page" error={error} onRetry={reset} />,
});

/** Pages of the gateway need somebody signed in (or an anonymous viewer, which the server says by giving a user). */
function signedIn({ location }: { location: { href: string } }): void {
  if (config.mode === "gateway" && config.user === null) {
    throw redirect({ to: "/login", search: { redirect: location.href } as never });
  }
}

function page<Name extends string>(path: string, load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  return createRoute({
    getParentRoute: () => root,
    path,
    beforeLoad: signedIn,
    component: lazyRouteComponent(load, name),
  });
}

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  beforeLoad: ({ search }) => {
    const back = (search as Record<string, unknown>).redirect;
    if (config.mode === "query" || config.user !== null) throw redirect({ href: safeReturn(back) });
  },
  component: lazyRouteComponent(() => import("../pages/login/page.tsx"), "LoginPage"),
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: (context) => {
    signedIn(context);
    // query-api's port is opened at traces, as Jaeger's is
    if (config.mode === "query") throw redirect({ to: "/search" as never, search: true as never, replace: true });
  },
  component: lazyRouteComponent(() => import("../pages/home/page.tsx"), "HomePage"),
});

const TracePage = lazy(() => import("../pages/trace/page.tsx").then((module) => ({ default: module.TracePage })));
const TraceComparePage = lazy(() =>
  import("../pages/tracecompare/page.tsx").then((module) => ({ default: module.TraceComparePage })),
);

/** `/trace/{id}` and `/trace/{a}...{b}`, as in Jaeger. */
function TraceOrCompare() {
  const { id = "" } = useRouteParams({ strict: false }) as { id?: string };
  const [left, right] = id.split("...");
  return (
    <Suspense>
      {left !== undefined && right !== undefined ? (
        <TraceComparePage key={id} left={left} right={right} />
      ) : (
        <TracePage key={id} traceId={id} />
      )}
    </Suspense>
  );
}

const trace = createRoute({
  getParentRoute: () => root,
  path: "/trace/$id",
  beforeLoad: signedIn,
  component: TraceOrCompare,
});

const tree = root.addChildren([
  login,
  home,
  trace,
  page("/search", () => import("../pages/search/page.tsx"), "SearchPage"),
  page("/dependencies", () => import("../pages/dependencies/page.tsx"), "DependenciesPage"),
  page("/monitor", () => import("../pages/monitor/page.tsx"), "MonitorPage"),
  page("/compare", () => import("../pages/compare/page.tsx"), "ComparePage"),
  page("/admin/users", () => import("../pages/admin/page.tsx"), "UsersPage"),
  page("/profile", () => import("../pages/profile/page.tsx"), "ProfilePage"),
]);

export const router = createRouter({
  routeTree: tree,
  basepath: config.base,
  parseSearch: parseParams,
  stringifySearch: writeParams,
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

whenSignedOut(() => {
  const here = window.location.pathname + window.location.search;
  if (!router.state.location.pathname.endsWith("/login")) {
    window.location.assign(`${config.base}login?redirect=${encodeURIComponent(here)}`);
  }
});
