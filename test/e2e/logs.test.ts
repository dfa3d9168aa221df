import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { parser } from "@grafana/lezer-logql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linesIn } from "../deploy/runbook-pages.ts";
import { toolPath } from "../support/tools.ts";
import { ROOT } from "./gateway-process.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import { CHAT_PLATFORMS, deliver, privateMessage } from "./platforms.ts";
import { said } from "./records.ts";
import { eventLines } from "./request-ids.ts";

const PAGE = readFileSync(join(ROOT, "docs/deploy/logs.md"), "utf8");
const COMMANDS = linesIn(PAGE, "sh");
const QUERIES = linesIn(PAGE, "logql");
const SEARCHES = linesIn(PAGE, "json");

let bin: string;
let setup: Setup;
let lines: readonly Record<string, unknown>[];

/** A gateway that has something to tell, and what systemd would keep of what it said. */
beforeAll(async () => {
  setup = await startWithPlatforms();
  const { gateway, platforms } = setup;
  for (const [n, platform] of CHAT_PLATFORMS.entries()) {
    const request = privateMessage(platform, { person: 9_000 + n, text: "for the log" });
    await deliver(gateway.url, request);
    await deliver(gateway.url, { ...request, headers: { "content-type": "application/json" } });
    await said(platforms, platform, "for the log");
  }
  await deliver(gateway.url, privateMessage("slack", { person: 9_100, text: "demo: fail" }));
  await deliver(gateway.url, privateMessage("slack", { person: 9_101, text: "demo: dead" }));
  await gateway.logged(/"event\.failed"/);
  await gateway.logged(/"event\.dead"/);
  await gateway.end("SIGTERM");
  lines = gateway.logLines();
  bin = mkdtempSync(join(tmpdir(), "parley-bin-"));
  const journal = join(bin, "journal");
  writeFileSync(journal, gateway.stderr() + gateway.stdout());
  writeFileSync(join(bin, "journalctl"), `#!/bin/sh\nexec cat ${journal}\n`);
  chmodSync(join(bin, "journalctl"), 0o755);
});
afterAll(async () => {
  await setup[Symbol.asyncDispose]();
  rmSync(bin, { recursive: true });
});

it("there is something that is no JSON among it", () => {
  const journal = readFileSync(join(bin, "journal"), "utf8");
  expect(journal.split("\n").some((line) => line !== "" && !line.startsWith("{"))).toBe(true);
});

it("each line of an event has the id of the request that brought it", () => {
  const { kinds, unnamed } = eventLines([{ logLines: () => [...lines] }]);
  expect(unnamed).toEqual([]);
  expect([...kinds]).toEqual(
    expect.arrayContaining(["run.finished", "reply.sent", "event.failed", "event.dead"]),
  );
});

it.each(COMMANDS)("%s", async (command) => {
  const path = [bin, dirname(toolPath("jq")), process.env.PATH].join(delimiter);
  const env = { PATH: path };
  const { stdout, stderr } = await promisify(execFile)(
    "bash",
    ["--norc", "-c", `set -o pipefail; ${command}`],
    {
      env,
    },
  );
  expect(stderr).toBe("");
  expect(stdout.trim()).not.toBe("");
  // A field that there is not is null, or nothing between two tabs.
  expect(stdout).not.toMatch(/\bnull\b|\t\t|\t$/m);
});

describe("each LogQL query", () => {
  it.each(QUERIES)("%s: is one, and asks for fields that are there", (query) => {
    const { filters, fields } = readQuery(query);
    const known = new Set(lines.flatMap((line) => Object.keys(line)));
    expect(fields.filter((field) => !known.has(field))).toEqual([]);
    for (const { name, value } of filters)
      expect([name, value, lines.some((line) => line[name] === value)]).toEqual([name, value, true]);
  });

  it("would be refused if it were none", () => {
    expect(() => readQuery('{job="parley"} | json | msg=')).toThrow("Expected a LogQL query");
  });
});

describe("each search of Elasticsearch", () => {
  it.each(SEARCHES)("%s: asks for fields that are there", (search) => {
    const known = new Set(lines.flatMap((line) => Object.keys(line)));
    const asked = fieldsIn(JSON.parse(search));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((field) => !known.has(field))).toEqual([]);
    const [, msg] = /"msg.keyword": "([^"]+)"/.exec(search) ?? [];
    if (msg !== undefined) expect(lines.some((line) => line.msg === msg)).toBe(true);
  });
});

/** What names a field in the query language of Elasticsearch. */
function fieldsIn(part: unknown): readonly string[] {
  if (Array.isArray(part)) return part.flatMap(fieldsIn);
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([key, value]): readonly string[] => {
    if (key === "field") return [String(value).replace(/\.keyword$/, "")];
    const names =
      ["term", "range"].includes(key) || (key === "terms" && !Object.hasOwn(value as object, "field"));
    if (names) return Object.keys(value as object).map((name) => name.replace(/\.keyword$/, ""));
    if (key === "sort") return (value as object[]).flatMap((one) => Object.keys(one));
    return fieldsIn(value);
  });
}

interface Query {
  /** What a line must be, after its stream was chosen. */
  readonly filters: readonly { readonly name: string; readonly value: string }[];
  /** Of a line, by name. */
  readonly fields: readonly string[];
}

/** By Loki's own grammar. */
function readQuery(query: string): Query {
  const filters: { name: string; value: string }[] = [];
  const fields: string[] = [];
  parser.parse(query).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new Error(`Expected a LogQL query, got ${query} (at ${from})`);
      const words = query.slice(from, to);
      if (type.name === "Matcher") {
        const [, name = "", value = ""] = /^(\w+)\s*=\s*"(.*)"$/.exec(words) ?? [];
        // The stream's own label is not a field.
        if (name === "job") return;
        filters.push({ name, value });
        fields.push(name);
      } else if (type.name === "Identifier" && node.parent?.name !== "Matcher") fields.push(words);
      else if (type.name === "LineFormatExpr")
        fields.push(...[...words.matchAll(/\{\{\.(\w+)\}\}/g)].map(([, name = ""]) => name));
    },
  });
  return { filters, fields };
}

it("Fluent Bit is told the form of the time, and its name", () => {
  const parserFile = readFileSync(join(ROOT, "deploy/logs/parsers.conf"), "utf8");
  const setting = (name: string) => new RegExp(`^\\s*${name}\\s+(.*)$`, "m").exec(parserFile)?.[1] ?? "";
  const FORMS: Record<string, string> = {
    Y: "\\d{4}",
    m: "\\d\\d",
    d: "\\d\\d",
    H: "\\d\\d",
    M: "\\d\\d",
    S: "\\d\\d",
  };
  const form = setting("Time_Format")
    .replaceAll(".", "\\.")
    // Of Fluent Bit: fractions of a second, however many digits.
    .replaceAll("%L", "\\d+")
    .replaceAll(/%([YmdHMS])/g, (_, letter: string) => FORMS[letter] ?? "");
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(line[setting("Time_Key")]).toMatch(new RegExp(`^${form}$`));
});
