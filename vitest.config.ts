import { defineConfig } from "vitest/config";

const SLOW = [
  "test/e2e/**/*.test.ts",
  "test/simulation/**/*.test.ts",
  "test/model-check/**/*.test.ts",
  "test/chaos/chaos.test.ts",
  "test/quality.test.ts",
];

export default defineConfig({
  test: {
    reporters: ["default", "./test/count-reporter.ts"],
    // Fast unit and contract tests run first; processes and kill loops come last, alone on the machine.
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: SLOW, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: SLOW,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    coverage: { provider: "v8", include: ["src/**", "adapters/**"] },
  },
});
