import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { COMPILED_ENV, type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { nobody, runScript } from "./run-script.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const dataDir = temporaryFolder();
const archives = temporaryFolder();
const config = configFolder(`${NO_LIMITS}  compliance:
    backups: ${archives}
    reviewed: ${new Date().toISOString().slice(0, 10)}
    contacts: [{ role: security, name: Ann, reach: "1" }, { role: operations, name: Ben, reach: "2" }]
`);
const PARLEY = `${process.execPath} ${join(ROOT, "bin/parley.js")}`;
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await startGateway({ dataDir, config, env: { PARLEY_ADMIN_TOKEN: TOKEN } });
  await ask(gateway.url, { message: "hello", conversation: "c", wait: 10 });
  await ask(gateway.url, { message: "demo: dead", conversation: "d" });
  await gateway.logged(/"outcome":"dead"|event\.dead/);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const env = (): Readonly<Record<string, string>> => ({
  ...(COMPILED_ENV as Readonly<Record<string, string>>),
  ...{ PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: gateway.url, PARLEY_DATA_DIR: dataDir, PARLEY_CONFIG: config },
});
const maintain = (period: string, ...args: readonly string[]) =>
  runScript("maintenance", [period, "--archives", archives, "--parley", PARLEY, ...args], env());
const kinds = () => readdirSync(archives).map((name) => name.replace(/-?\d.*$/, ""));

it("a dry run says what it would run, and runs nothing", async () => {
  for (const period of ["daily", "weekly", "monthly"]) {
    const { code, said } = await maintain(period, "--dry-run");
    expect([code, said]).toEqual([0, expect.stringContaining(`would   ${PARLEY} `)]);
  }
  expect(readdirSync(archives)).toEqual([]);
});

it("the day: readiness, disk, dead letters, what it cost, a backup", async () => {
  const { code, said } = await maintain("daily", "--disk", "100");
  expect([code, said]).toEqual([0, expect.stringContaining(`ok      ${gateway.url} is ready`)]);
  for (const words of ["1 dead letters within a day", "% full", "there is a backup in", "all well"])
    expect(said).toContain(words);
  expect(kinds()).toEqual(["parley"]);
});

it("the day on a full disk: events go into an archive, and what helps nothing is a failure", async () => {
  const { code, said } = await maintain("daily", "--disk", "0");
  expect(code).toBe(1);
  for (const words of ["ok      finished events are in an archive", "ok      the disk has their room back"])
    expect(said).toContain(words);
  expect(said).toContain("is still fuller than 0 %");
});

it("the week: the store is read through, every archive is checked, and one that is damaged is found", async () => {
  const well = await maintain("weekly");
  expect(well).toEqual({ code: 0, said: expect.stringContaining("ok      the store is whole") });
  expect(well.said).toMatch(/ok {6}\S+parley-2\S+ is whole/);

  const damaged = join(archives, "parley-20200101T000000000Z");
  mkdirSync(damaged);
  const found = await maintain("weekly");
  expect(found).toEqual({ code: 1, said: expect.stringContaining(`FAILED  ${damaged} is whole: `) });
  expect(found.said).toContain("ok      what the gateway needs is there");
});

it("the month: the newest backup can be restored, and nothing of that is left", async () => {
  const tmp = temporaryFolder();
  const bin = temporaryFolder();
  const npm = join(bin, "npm");
  writeFileSync(npm, '#!/bin/sh\necho \'{"message":"no registry here"}\'; exit 1\n');
  chmodSync(npm, 0o755);
  const args = ["monthly", "--archives", archives, "--parley", PARLEY];
  const PATH = [bin, process.env.PATH].join(delimiter);
  const { code, said } = await runScript("maintenance", args, { ...env(), PATH, TMPDIR: tmp });
  for (const words of ["can be restored", "the audit is as it was written", "compliance is as it should be"])
    expect(said).toMatch(new RegExp(`^ok .*${words}`, "m"));
  expect(said).toContain("packages could not be looked up: audit-packages.sh: expected a report");
  expect(code).toBe(0);
  expect(readdirSync(tmp)).toEqual([]);
  expect(readdirSync(join(archives, "compliance"))).toHaveLength(1);
  expect(existsSync(join(dataDir, "parley.db"))).toBe(true);
});

it("without a gateway nothing is done", async () => {
  const away = await nobody();
  const args = ["daily", "--archives", archives, "--parley", PARLEY];
  expect(await runScript("maintenance", args, { ...env(), PARLEY_URL: away })).toEqual({
    code: 69,
    said: expect.stringContaining(`expected a gateway at ${away}`),
  });
});
