// Where to go after login. Only a path of this very app: never another host, however it is written.
import { config } from "./config.ts";

export function safeReturn(target: unknown, base = config.base): string {
  if (typeof target !== "string" || !target.startsWith("/") || /^\/[/\\]/.test(target)) return base;
  // browsers drop tabs and line feeds and read a backslash as a slash
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
  if (/[\\\u0000-\u001f]/.test(target) || /(^|\/)(\.|%2e){2}(\/|$)/i.test(target.split(/[?#]/)[0] ?? "")) return base;
  return target.startsWith(base) ? target : base + target.slice(1);
}
