import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

const SLOWEST = 10;

/**
 * Ends the run with its slowest files, and with one plain line that counts the tests, for machines that read it. Where
 * `test/all.mjs` started the run, that line is its own, and the counts go to the file that it names.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) states[test.result().state]++;
      // A file that does not even load has no tests to fail.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0) states.failed++;
    }
    const { passed, skipped } = states;
    const failed = states.failed + states.pending + errors.length;
    process.stdout.write(slowest(modules));
    const file = process.env.PARLEY_TEST_COUNTS;
    if (file === undefined) {
      const more = skipped > 0 ? `, ${skipped} skipped` : "";
      process.stdout.write(`\n${passed} passed, ${failed} failed${more}\n`);
    } else writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
  }
}

function slowest(modules: readonly TestModule[]): string {
  const lines = modules
    .map((module) => ({ file: relative(process.cwd(), module.moduleId), ms: module.diagnostic().duration }))
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST)
    .map(({ file, ms }) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${file}\n`);
  return `\nThe slowest files:\n${lines.join("")}`;
}
