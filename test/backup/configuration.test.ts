import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { call, emptyFolder } from "../cli/helpers.ts";

const AGENT =
  "apiVersion: parley/v1\nkind: Agent\nmetadata: { name: assistant }\nspec:\n  model: { provider: demo }\n";

async function backedUp(configuration: string, files: Readonly<Record<string, string>>) {
  const cwd = emptyFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(cwd, name, ".."), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  const env = { PARLEY_CONFIG: configuration, PARLEY_DATA_DIR: join(cwd, "data") };
  const made = await call(["backup", "--to", "archives"], { cwd, env });
  expect(made).toMatchObject({ code: 0 });
  const restore = (...args: string[]) => call(["restore", made.stdout.trim(), ...args], { cwd, env });
  return { cwd, restore };
}

it.each([
  ["bots.yaml", "bots.yaml", { "bots.yaml": AGENT }],
  ["etc", "etc/agents/bot.yaml", { "etc/agents/bot.yaml": AGENT }],
])(
  "a configuration that is gone, or broken, is brought back to %s where that is asked for",
  async (configuration, file, files) => {
    const { cwd, restore } = await backedUp(configuration, files);
    rmSync(join(cwd, configuration), { recursive: true });
    expect(await restore()).toMatchObject({ code: 78, stderr: expect.stringContaining(configuration) });
    expect(await restore("--with-configuration")).toMatchObject({ code: 0 });
    expect(readFileSync(join(cwd, file), "utf8")).toBe(AGENT);

    writeFileSync(join(cwd, file), "kind: [");
    expect(await restore("--with-configuration")).toMatchObject({ code: 0 });
    expect(readFileSync(join(cwd, file), "utf8")).toBe(AGENT);
  },
);

it("a folder of configuration is not put into a file", async () => {
  const { cwd, restore } = await backedUp("etc", {
    "etc/gateway.yaml": "apiVersion: parley/v1\nkind: Gateway\nspec: {}\n",
    "etc/agents/bot.yaml": AGENT,
  });
  renameSync(join(cwd, "etc"), join(cwd, "elsewhere"));
  expect(await restore("--with-configuration", "--config", "bots.yaml")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Expected an archive with one file of agents"),
  });
});
