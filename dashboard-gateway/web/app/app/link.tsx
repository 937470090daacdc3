import { Link as RouterLink } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Params, useCarried } from "./location.ts";

interface LinkProps {
  /** A path of the app, without its base. */
  to: string;
  /** Parameters of that page; time range and compared range come along by themselves. */
  params?: Params;
  /** Leave the time range behind. */
  fresh?: boolean;
  className?: string;
  title?: string;
  tabIndex?: number;
  current?: boolean;
  children: ReactNode;
}

/** A link within the app: a real one, so that it opens in a new tab and can be copied. */
export function Link({
  to,
  params = {},
  fresh = false,
  className = "link",
  title,
  tabIndex,
  current,
  children,
}: LinkProps) {
  const held = useCarried();
  return (
    <RouterLink
      to={to as never}
      search={(fresh ? params : { ...held, ...params }) as never}
      className={className}
      {...(title === undefined ? {} : { title })}
      {...(tabIndex === undefined ? {} : { tabIndex })}
      {...(current ? { "aria-current": "page" as const } : {})}
    >
      {children}
    </RouterLink>
  );
}
