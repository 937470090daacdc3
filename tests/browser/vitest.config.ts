import { defineConfig } from "vitest/config";

// One stack and one Chromium for all files, one file after the other: budgets are measured, and two cores are all there is.
export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["src/global.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 90_000,
  },
});
