import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { fixtureServer } from "./app/dev/fixture-server.ts";

// Everything is relative ("./"), so that one build runs under any URL prefix: the server writes the prefix into index.html,
// later chunks resolve against the module that asks for them.
export default defineConfig({
  base: "./",
  plugins: [react(), fixtureServer()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  test: {
    environment: "happy-dom",
    include: ["app/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    isolate: false,
    pool: "threads",
  },
});
