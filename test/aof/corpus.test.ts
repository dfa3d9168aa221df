import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { load, problemsOf } from "../config/helpers.ts";
import { CORPUS, corpusOf, FIXTURES, imported, linesOf } from "./support.ts";

const isPriced = () => true;
const HARMLESS = /^(?:apiVersion|kind|metadata\.(?:name|labels\..*))$/;

describe.each(CORPUS)("the files of %s", (folder) => {
  const result = imported(corpusOf(folder));
  const { files } = result;

  it("become what is expected, with what became of each key", async () => {
    const written = [...files].map(([name, text]) => `==== ${name}\n${text}`);
    const all = [...linesOf(result), ...written].join("\n");
    await expect(all).toMatchFileSnapshot(join(FIXTURES, `${folder}.expected.txt`));
  });

  it("become a configuration that holds, without any variable", () => {
    const loaded = load(Object.fromEntries(files), { isPriced });
    if (files.size > 0) expect(problemsOf(loaded)).toEqual([]);
    else expect(folder).toBe("others");
  });

  it("say nothing that is neither written nor spoken of", () => {
    const output = plain([...files.values()].join("\n"));
    const told = new Set(result.remarks.map(({ file, key }) => `${file} ${key}`));
    const silent = corpusOf(folder).flatMap(({ file, text }) =>
      parseAllDocuments(text, { intAsBigInt: true }).flatMap((document) =>
        leavesOf(document.toJS({ maxAliasCount: 0 }), "")
          .filter(
            ({ path, value }) =>
              !HARMLESS.test(path) &&
              value.length > 3 &&
              !output.includes(plain(value)) &&
              !prefixesOf(path).some((key) => told.has(`${file} ${key}`)),
          )
          .map(({ path }) => `${file} ${path}`),
      ),
    );
    expect(silent.filter((one) => !EXPECTED.has(one))).toEqual([]);
  });

  it("give away no secret", () => {
    expect([...files.values(), ...linesOf(result)].join("\n")).not.toContain("PLANTED");
  });
});

/** Said in other words, which the expected files show. */
const EXPECTED = new Set([
  // A platform is on where its variables are set, and these are their names here, too.
  "daemon.yaml spec.platforms.slack.enabled",
  "daemon.yaml spec.platforms.slack.bot_token_env",
  "daemon.yaml spec.platforms.discord.bot_token_env",
  "daemon.yaml spec.platforms.telegram.enabled",
  "discord.yaml spec.config.bot_token",
  "discord.yaml spec.config.application_id",
  "discord.yaml spec.config.public_key",
  "slack.yaml spec.config.bot_token",
  "slack-a.yaml spec.config.token",
  "slack-b.yaml spec.config.bot_token",
  "whatsapp.yaml spec.config.access_token",
  "whatsapp.yaml spec.config.allowed_numbers[0]",
  "daemon.yaml spec.settings.rate_limit.enabled",
  // No agent of the folder has a server of tools, and commands ask anyway.
  "prod.yaml spec.approval.required",
  "prod.yaml spec.approval.require_for[1]",
  // Said in other words: `mock` is the demo, and a command line is a command with arguments.
  "agent.yaml spec.model",
  "flow.yaml spec.agent.spec.model",
  "agents.yaml items[0].spec.model.provider",
  "agents.yaml items[1].spec.model.provider",
  "casing.yaml spec.model",
  "servers.yaml spec.mcp_servers[0].command",
  "servers.yaml spec.fallbackModels[0]",
  "servers.yaml spec.retryPolicy.initialBackoff",
]);

/** As a person reads it: a doubled dollar is one, and an id is text. */
function plain(text: string): string {
  return text
    .replaceAll("$${", () => "${")
    .replaceAll(/\s+/g, " ")
    .toLowerCase();
}

function leavesOf(value: unknown, path: string): { path: string; value: string }[] {
  if (Array.isArray(value)) return value.flatMap((one, i) => leavesOf(one, `${path}[${i}]`));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, one]) => leavesOf(one, path === "" ? key : `${path}.${key}`));
  return value === null ? [] : [{ path, value: `${value as string | number | bigint | boolean}`.trim() }];
}

/** Of `a.b[1].c`: itself, `a.b[1]`, `a.b`, `a`, and the document. */
function prefixesOf(path: string): string[] {
  const cuts = [...path.matchAll(/[.[]/g)].map(({ index }) => path.slice(0, index));
  return [path, ...cuts, "kind"];
}

it("says more than twenty files", () => {
  expect(CORPUS.flatMap(corpusOf).length).toBeGreaterThanOrEqual(20);
});

it("asks by the clock what AOF does, and leaves off what has no place or no agent yet", () => {
  const { spec } = parse(imported(corpusOf("clock")).files.get("gateway.yaml") ?? "");
  expect(spec.schedules).toEqual([
    expect.objectContaining({
      ...{ name: "morning-report", enabled: false, cron: "0 9 * * 1-5", time_zone: "America/New_York" },
      ...{ agent: "reporter", to: { platform: "slack", tenant: "not-set", channel: "morning" } },
      text: "What went on? $${look.output}",
    }),
    expect.objectContaining({ name: "nightly", enabled: false, agent: "accountant" }),
    {
      ...{ name: "Guild-report", cron: "30 7 * * MON-FRI", time_zone: "Europe/Berlin", agent: "reporter" },
      to: { platform: "discord", tenant: "987654321098765432", channel: "123456789012345678" },
      text: "Write the report of the night",
    },
    expect.objectContaining({ name: "nobody", enabled: false, agent: "reporter" }),
  ]);
});

it("keeps apart what AOF keeps apart: commands, whoever may use a platform, and the default", () => {
  const { spec } = parse(imported(corpusOf("chat")).files.get("gateway.yaml") ?? "");
  expect(spec.routes.at(-1)).toEqual({ agent: "ops" });
  expect(spec.platforms.discord.enabled).toBe(false);
  expect(spec.platforms.telegram.access).toMatchObject({
    channels: ["-1001234567890"],
    direct_messages: ["42"],
  });
});
