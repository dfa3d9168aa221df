import type { Outcome } from "./world.ts";

const TRACE_LINES = 60;

/** For whoever has to find out: what was broken, how to see it again, and what happened last. */
export function report(what: string, again: string, { violations, trace }: Outcome): string {
  return [
    `${what} broke a promise:`,
    ...violations.map((violation) => `  - ${violation}`),
    `Again: ${again}`,
    `The last of ${trace.length} steps:`,
    ...trace.slice(-TRACE_LINES).map((line) => `  ${line}`),
  ].join("\n");
}

export function reportSeed(seed: number, scale: number, outcome: Outcome, form = ""): string {
  const env = `PARLEY_SIM_SEED=${seed} PARLEY_SIM_RUNS=1 PARLEY_SIM_SCALE=${scale}`;
  return report(`Seed ${seed}`, `${env} node test/simulation/soak.ts ${form}`.trimEnd(), outcome);
}
