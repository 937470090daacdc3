// Plausible answers in the contract's shapes for `npm run dev` and `npm run preview`; never part of dist.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { answer } from "./answers.ts";
import { answerTrace } from "./trace-answers.ts";

type Next = () => void;

const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'";

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

async function handle(request: IncomingMessage, response: ServerResponse, next: Next): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (answerTrace(url, response)) return;
  const told = answer(request.method ?? "GET", url, request.method === "GET" ? "" : await bodyOf(request));
  if (told === null) {
    next();
    return;
  }
  response.statusCode = told.status;
  for (const [name, value] of Object.entries(told.headers ?? {})) response.setHeader(name, value);
  response.setHeader("content-type", "application/json");
  setTimeout(() => response.end(JSON.stringify(told.body)), told.delayMs ?? 20);
}

/** FIXTURE=gateway says the app is served by the gateway, FIXTURE_USER=none that nobody is signed in. */
function configured(html: string): string {
  const { FIXTURE = "gateway", FIXTURE_USER = "admin" } = process.env;
  const config = {
    base: "/",
    api: "",
    mode: FIXTURE,
    user:
      FIXTURE === "gateway" && FIXTURE_USER !== "none"
        ? { login: FIXTURE_USER, name: "Ada Admin", role: "Admin" }
        : null,
    developmentMode: true,
    defaultPassword: false,
    version: "0.1.0",
  };
  return html.replace(/(<script id="yc-config"[^>]*>)[^<]*/, `$1${JSON.stringify(config)}`).replaceAll('="./', '="/');
}

export function fixtureServer(): Plugin {
  const connect = (request: IncomingMessage, response: ServerResponse, next: Next) => {
    void handle(request, response, next);
  };
  let serving = false;
  return {
    name: "yc-fixture-server",
    configureServer(server) {
      serving = true;
      server.middlewares.use(connect);
    },
    configurePreviewServer(server) {
      server.middlewares.use(connect);
      // deep routes answer index.html with the prefix written in, as the real servers do
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? "/").split("?")[0] ?? "/";
        if (path.startsWith("/assets/")) return next();
        response.setHeader("content-type", "text/html");
        response.setHeader("content-security-policy", CSP);
        response.end(configured(readFileSync("dist/index.html", "utf8")));
      });
    },
    transformIndexHtml: (html) => (serving ? configured(html) : html),
  };
}
