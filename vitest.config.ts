import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import LongestFirst from "./test/longest-first.ts";

/** Real servers, disks, threads and processes, one part of the gateway at a time. What runs in memory alone is `unit`. */
const CONTRACT = [
  "test/store/{redis,spool}/**/*.test.ts",
  "test/store/{contract,faults,file,footing,log-size,random,still,trouble,turns,unwritten,upkeep}.test.ts",
  "test/backup/**/*.test.ts",
  "test/app/{processes,rendering}/**/*.test.ts",
  "test/cli/{bin,installed,process}.test.ts",
  "test/deploy/{container,notifications}.test.ts",
  "test/support/redis.test.ts",
  "test/telemetry/{lines,log}.test.ts",
];
const PROOFS = ["test/simulation/**/*.test.ts", "test/model-check/**/*.test.ts"];
/** It loads modules that are not ours. */
const ISOLATED = ["test/app/platforms.test.ts"];
const PROCESSES = ["test/e2e/**/*.test.ts", "test/chaos/chaos.test.ts"];
/** They take all that the machine has, or hold the gateway to what the clock says: alone on it. */
const ALONE = ["test/e2e/{flood,redis-away}.test.ts"];
/**
 * What a process that a test starts has compiled, for the next one. A measurement of coverage needs what was not cached.
 */
const COMPILE_CACHE =
  process.env.NODE_V8_COVERAGE === undefined
    ? { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/parley-compiled") }
    : {};
/** What Vitest takes by itself, but never one alone: on two cores that would be half of the machine. */
const WORKERS = { maxWorkers: Math.max(2, availableParallelism() - 1) };
/**
 * Each thread takes the types off its sources in WebAssembly, and V8 (Node 24.21) crashes (`jit_page.has_value()`) where
 * one thread frees a wrapper of such code while others come and go. A wrapper that is never replaced is never freed.
 */
const NO_NEW_WRAPPERS = "--wasm-wrapper-tiering-budget=2000000000";
/**
 * Who waits for processes, platforms and leases leaves most of a core to others: five of them keep two cores busy for 60 %
 * of the time. Each has some gateways running, of about 100 MB.
 */
const PATIENT_WORKERS = { maxWorkers: Math.min(12, Math.ceil(2.5 * WORKERS.maxWorkers)) };
const COMPILED = "test/e2e/compiled.ts";
const SLOW = { testTimeout: 120_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    // Slowness is no failure: what hangs is ended, what the machine has no time for is waited for.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    execArgv: [NO_NEW_WRAPPERS],
    env: COMPILE_CACHE,
    reporters: ["default", "./test/count-reporter.ts"],
    sequence: { sequencer: LongestFirst },
    // What runs in memory comes first, then stores, threads and proofs, then processes; last what needs the machine for itself.
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...ISOLATED, ...CONTRACT, ...PROOFS, ...PROCESSES],
          // Files share the modules that are loaded: starting a process and loading them for each took half the time.
          isolate: false,
          ...WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "isolated", include: ISOLATED, ...WORKERS, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "contract",
          include: CONTRACT,
          isolate: false,
          ...WORKERS,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { name: "proofs", include: PROOFS, ...SLOW, ...WORKERS, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: PROCESSES,
          exclude: ALONE,
          globalSetup: COMPILED,
          ...SLOW,
          isolate: false,
          ...PATIENT_WORKERS,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ALONE,
          globalSetup: COMPILED,
          fileParallelism: false,
          ...SLOW,
          sequence: { groupOrder: 4 },
        },
      },
    ],
    coverage: { provider: "v8", include: ["src/**", "adapters/**"] },
  },
});
