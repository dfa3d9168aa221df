import type { Reporter, TestModule } from "vitest/node";

/** Ends the run with one plain line that counts the tests, for machines that read it. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) states[test.result().state]++;
      // A file that does not even load has no tests to fail.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0) states.failed++;
    }
    const failed = states.failed + states.pending + errors.length;
    const skipped = states.skipped > 0 ? `, ${states.skipped} skipped` : "";
    process.stdout.write(`\n${states.passed} passed, ${failed} failed${skipped}\n`);
  }
}
