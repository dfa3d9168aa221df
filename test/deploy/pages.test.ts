import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { brokenLinks } from "./links.ts";
import { ROOT } from "./rule-files.ts";

const FOLDER = join(ROOT, "docs/deploy");

it.each([
  ...readdirSync(FOLDER).map((name) => join("docs/deploy", name)),
  "docs/operations.md",
  "docs/secrets.md",
  "docs/security.md",
  "docs/production.md",
  "docs/capacity.md",
  "docs/on-call.md",
  "docs/slo.md",
  "docs/upgrade.md",
  "README.md",
])("%s leads to files and headings that are there", (page) => {
  expect(brokenLinks(join(ROOT, page))).toEqual([]);
});
