// What the server tells the app before anything is fetched: the JSON block `yc-config` of index.html.

/** A user's role; each may do what the one before may. */
export type Role = "Viewer" | "Editor" | "Admin";

export interface SignedIn {
  readonly login: string;
  readonly name: string;
  readonly role: Role;
}

export interface Config {
  /** URL prefix of the app; begins and ends with a slash. */
  readonly base: string;
  /** Prefix of query-api's paths, relative to `base`. */
  readonly api: string;
  /** `query`: served by query-api, no login. `gateway`: served by dashboard-gateway. */
  readonly mode: "query" | "gateway";
  readonly user: SignedIn | null;
  readonly developmentMode: boolean;
  /** The signed-in user still has the password that the product came with. */
  readonly defaultPassword: boolean;
  readonly version: string;
}

const FALLBACK: Config = {
  base: "/",
  api: "",
  mode: "query",
  user: null,
  developmentMode: false,
  defaultPassword: false,
  version: "",
};

function read(): Config {
  const text = document.getElementById("yc-config")?.textContent;
  if (!text) return FALLBACK;
  const given: unknown = JSON.parse(text);
  return typeof given === "object" && given !== null ? { ...FALLBACK, ...given } : FALLBACK;
}

export const config: Config = read();
