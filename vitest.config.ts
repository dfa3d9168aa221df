import { defineConfig } from "vitest/config";

const PROOFS = ["test/simulation/**/*.test.ts", "test/model-check/**/*.test.ts", "test/quality.test.ts"];
const PROCESSES = ["test/e2e/**/*.test.ts", "test/chaos/chaos.test.ts"];
const SLOW = { testTimeout: 120_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    reporters: ["default", "./test/count-reporter.ts"],
    // Fast unit and contract tests run first; processes and kill loops come last, alone on the machine.
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...PROOFS, ...PROCESSES],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "proofs", include: PROOFS, ...SLOW, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: PROCESSES,
          fileParallelism: false,
          ...SLOW,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: { provider: "v8", include: ["src/**", "adapters/**"] },
  },
});
