import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NOT_RUN_ONE_BY_ONE, RUN_ELSEWHERE } from "../e2e/not-run.ts";
import { ROOT } from "./rule-files.ts";
import { linesIn } from "./runbook-pages.ts";

const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const bare = (command: string) => command.replace(/\s+#.*$/, "");

describe.each([...new Set(NOT_RUN_ONE_BY_ONE.map(({ page }) => page))])("%s", (page) => {
  const own = NOT_RUN_ONE_BY_ONE.filter((one) => one.page === page);

  it("has those commands, each of them told why it is not run beside a gateway, and no others", () => {
    const told = own.flatMap(({ commands }) => commands);
    expect(told.toSorted()).toEqual([...new Set(linesIn(read(page), "sh").map(bare))].toSorted());
  });

  it("has for each a test or program that does it, where one can", () => {
    for (const { commands, why } of own)
      if ("file" in why) expect(read(why.file), commands.join()).toContain(why.words);
  });
});

it("whoever takes the commands from a page reads that page", () => {
  for (const [page, file] of RUN_ELSEWHERE)
    expect(`${page} ${read(file)}`).toMatch(/runbook-pages\.ts|logs\.md/);
});
