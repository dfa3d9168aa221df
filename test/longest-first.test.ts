import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import type { TestSpecification } from "vitest/node";
import { inOrder, SECONDS } from "./longest-first.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** As much of one as is looked at. */
function file(path: string, name: string, groupOrder: number): TestSpecification {
  const project = { name, config: { root: ROOT, sequence: { groupOrder } } };
  return { moduleId: join(ROOT, path), project } as TestSpecification;
}

it("the longest file of a project begins first, and groups keep their order", () => {
  const given = [
    file("test/e2e/short.test.ts", "e2e", 2),
    file("test/e2e/another.test.ts", "e2e", 2),
    file("test/e2e/faults.test.ts", "e2e", 2),
    file("test/e2e/previews.test.ts", "e2e", 2),
    file("test/store/some.test.ts", "contract", 1),
    file("test/simulation/some.test.ts", "proofs", 1),
    file("test/store/faults.test.ts", "contract", 1),
  ];
  expect(inOrder(given).map(({ moduleId }) => moduleId.slice(ROOT.length + 1))).toEqual([
    "test/store/faults.test.ts",
    "test/store/some.test.ts",
    "test/simulation/some.test.ts",
    "test/e2e/previews.test.ts",
    "test/e2e/faults.test.ts",
    // Of those nobody has timed, Vitest knows more than we do.
    "test/e2e/short.test.ts",
    "test/e2e/another.test.ts",
  ]);
});

it.each(Object.keys(SECONDS))("%s, whose length is known, is there", (path) => {
  expect(existsSync(join(ROOT, path))).toBe(true);
});
