import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linesIn } from "../deploy/runbook-pages.ts";
import { ROOT } from "./gateway-process.ts";
import { NOT_RUN_ONE_BY_ONE, RUN_ELSEWHERE } from "./not-run.ts";
import { openReader, type Reader } from "./pages.ts";

/** Commands that are not run, by what they have in them, and why. */
const NOT_RUN: readonly (readonly [string, string])[] = [
  ["npm ci", "takes the packages away from under this very test; newcomer.test.ts has npm start"],
  ["npx vitest run --project unit test/adapters/", "tests within a test; npm test has them"],
  ["npm start", "newcomer.test.ts and replicas.test.ts start these"],
  ["node docs/examples/remote-agent.ts", "goes on for good: it is the server that the next command asks"],
  [
    "node docs/examples/live-events.mjs",
    "goes on for good; live.test.ts runs it, and kills the gateway under it",
  ],
  ["parley notes erase slack:", "notes that somebody has; cli/notes.test.ts erases such ones"],
  ["parley installations remove", "a workspace that has installed the app; topologies.test.ts has one"],
  ["parley secrets rotate", "a secret that is in a file; secrets.test.ts rotates it under a gateway"],
  ["parley setup discord --apply", "an application of its own; cli/setup-discord.test.ts has one"],
  ["xapp-…", "dials Slack; with tokens that are none it cannot come up"],
];

/** What ends otherwise than with 0, as its page says. */
const ENDS: readonly (readonly [RegExp, number, string])[] = [
  [/^(parley|node bin\/parley\.js) tail/, 130, "Ctrl-C ends it"],
  [/^parley stub/, 130, "Ctrl-C ends it"],
  [/--known 412:9f86/, 1, "fails when entry 412 is gone or another"],
];

const FILES = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name)),
];
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const ELSEWHERE = new Set([...RUN_ELSEWHERE.keys(), ...NOT_RUN_ONE_BY_ONE.map(({ page }) => page)]);
const HERE = FILES.filter((file) => file.endsWith(".md") && !ELSEWHERE.has(file))
  .map((file) => ({ file, commands: linesIn(read(file), "sh") }))
  .filter(({ commands }) => commands.length > 0);

let reader: Reader;
beforeAll(async () => {
  reader = await openReader();
});
afterAll(() => reader[Symbol.asyncDispose]());

it("nothing is left out that is not on a page", () => {
  const commands = HERE.flatMap((page) => page.commands);
  for (const [part] of NOT_RUN)
    expect(
      commands.filter((one) => one.includes(part)),
      part,
    ).not.toEqual([]);
  for (const [pattern] of ENDS)
    expect(
      commands.filter((one) => pattern.test(one)),
      String(pattern),
    ).not.toEqual([]);
});

describe.each(HERE)("$file", ({ file, commands }) => {
  let folder: string;
  beforeAll(() => {
    folder = reader.folderFor(file);
  });

  it.each(commands.filter((command) => !NOT_RUN.some(([part]) => command.includes(part))))(
    "%s",
    async (command) => {
      const [, code = 0] = ENDS.find(([pattern]) => pattern.test(command)) ?? [];
      const ran = await reader.run(command, folder);
      expect(ran, ran.stdout + ran.stderr).toMatchObject({ code });
    },
  );
});
