import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linesIn, OPERATING, PAGES } from "../deploy/runbook-pages.ts";
import { ROOT } from "./gateway-process.ts";
import { openReader, type Reader } from "./pages.ts";

/** Pages whose commands are run by another test, or cannot be run here. Those of any other page are run by this one. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ...[...PAGES, ...OPERATING].map(({ name }) => [name, "runbooks.test.ts"] as const),
  ["logs.md", "logs.test.ts; they want a journal"],
  ["scripts.md", "scripts.test.ts, and those of Prometheus in deploy/scripts.test.ts"],
  [
    "operations.md",
    "deploy/rules.test.ts and deploy/alertmanager.test.ts have promtool and amtool read these files",
  ],
  ["capacity.md", "minutes of load"],
  ["testing.md", "minutes of chaos and soak, and this very run"],
  ["0004-simulation.md", "minutes of simulation"],
  ["compose.md", "they want Docker; deploy/compose.test.ts reads the files"],
  ["edge.md", "settings for an env file, and a tunnel to another machine"],
  ["host.md", "they change the machine as root; deploy/host.test.ts has the unit"],
  ["kubernetes.md", "they want a cluster; deploy/kubernetes.test.ts has what is applied"],
]);

/** Commands that are not run, by what they have in them, and why. */
const NOT_RUN: readonly (readonly [string, string])[] = [
  ["npm ci", "takes the packages away from under this very test; newcomer.test.ts has npm start"],
  ["npm start", "newcomer.test.ts and replicas.test.ts start these"],
  ["node docs/examples/remote-agent.ts", "goes on for good: it is the server that the next command asks"],
  ["parley notes erase slack:", "notes that somebody has; cli/notes.test.ts erases such ones"],
  ["parley installations remove", "a workspace that has installed the app; topologies.test.ts has one"],
  ["parley secrets rotate", "a secret that is in a file; secrets.test.ts rotates it under a gateway"],
  ["parley setup discord --apply", "an application of its own; cli/setup-discord.test.ts has one"],
  ["xapp-…", "dials Slack; with tokens that are none it cannot come up"],
];

/** What ends otherwise than with 0, as its page says. */
const ENDS: readonly (readonly [RegExp, number, string])[] = [
  [/^(parley|node bin\/parley\.js) tail/, 130, "Ctrl-C ends it"],
  [/--known 412:9f86/, 1, "fails when entry 412 is gone or another"],
];

const FILES = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name)),
];
const HERE = FILES.filter((file) => file.endsWith(".md") && !ELSEWHERE.has(file.split("/").at(-1) ?? ""))
  .map((file) => ({ file, commands: linesIn(readFileSync(join(ROOT, file), "utf8"), "sh") }))
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
  const names = FILES.map((file) => file.split("/").at(-1));
  for (const name of ELSEWHERE.keys()) expect(names).toContain(name);
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
