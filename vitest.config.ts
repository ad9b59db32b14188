import { defineConfig } from "vitest/config";
import { sabotage } from "./test/sabotage/plugin.ts";

const removed = process.env["FRACTAL_SABOTAGE"] ?? "";

export default defineConfig({
  plugins: sabotage(removed),
  test: {
    // What was kept of a source may be with, or without, another safeguard.
    fsModuleCache: removed === "",
    clearMocks: true,
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          // Against what never ends; how long a thing takes is no test's business.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
