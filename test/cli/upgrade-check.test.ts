import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Finding } from "../../src/cli/findings.ts";
import { compare } from "../../src/cli/upgrade-check.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { MIGRATIONS } from "../../src/store/sqlite/migrations.ts";
import { systemClock } from "../../src/system/clock.ts";
import { packageVersion } from "../../src/system/version.ts";
import { fakeServer } from "../fakes/server.ts";
import { call, emptyFolder } from "./helpers.ts";

vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "0f9b1c55e0a2476c8d3e7a1b2c4d5e6f";

async function deployed(runs: string, versions: readonly string[] = [runs]) {
  const cwd = emptyFolder();
  const dataDir = join(cwd, "data");
  mkdirSync(dataDir);
  const limits = { waitingPerLaneMax: 10, waitingMax: 10 };
  const store = await openSqliteStore({ file: join(dataDir, "parley.db"), clock: systemClock, limits });
  await store[Symbol.asyncDispose]();
  const gateway = await fakeServer(({ path }) =>
    path === "/ready"
      ? { body: { status: "ready", version: runs, components: {} } }
      : { body: { replicas: versions.map((version) => ({ version })) } },
  );
  onTestFinished(() => gateway.close());
  return {
    cwd,
    dataDir,
    env: { PARLEY_URL: gateway.url, PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_DATA_DIR: dataDir },
  };
}

async function check(cwd: string, env: Record<string, string>) {
  const { code, stdout } = await call(["upgrade-check", "--json"], { cwd, env });
  const findings = JSON.parse(stdout) as Finding[];
  return { code, of: (name: string) => findings.filter((one) => one.check === name) };
}

function withSchema(dataDir: string, version: number): void {
  const db = new DatabaseSync(join(dataDir, "parley.db"));
  db.exec(`PRAGMA user_version = ${version}; PRAGMA wal_checkpoint(TRUNCATE)`);
  db.close();
}

it("finds nothing against a version that takes the files of the one that runs", async () => {
  const { cwd, dataDir, env } = await deployed("0.0.9");
  await call(["backup", "--to", "backups"], { cwd, env: { PARLEY_DATA_DIR: dataDir } });
  withSchema(dataDir, MIGRATIONS.length - 1);
  const before = readFileSync(join(dataDir, "parley.db"));
  const { code, of } = await check(cwd, env);
  expect(code).toBe(0);
  expect(of("version")).toMatchObject([
    { status: "ok", message: `0.0.9 runs, and this is ${packageVersion()}` },
  ]);
  expect(of("store")[0]?.message).toContain(
    `from ${MIGRATIONS.length - 1} to ${MIGRATIONS.length}, and keeps `,
  );
  expect(of("backup")).toMatchObject([{ status: "ok" }]);
  expect(readFileSync(join(dataDir, "parley.db")).equals(before)).toBe(true);
});

it("finds what stands against it: an older version, a newer store, no backup, files that it refuses", async () => {
  const { cwd, dataDir, env } = await deployed("99.0.0", ["99.0.0", "98.0.0"]);
  withSchema(dataDir, MIGRATIONS.length + 1);
  const { code, of } = await check(cwd, env);
  expect(code).toBe(1);
  expect(of("version")).toMatchObject([{ status: "fail" }]);
  expect(of("replicas")).toMatchObject([{ status: "warn", message: "they are of 99.0.0 and 98.0.0" }]);
  expect(of("store")[0]?.message).toContain("STORE_SCHEMA_NEWER");
  expect(of("backup")).toMatchObject([{ status: "fail" }]);
  mkdirSync(join(cwd, "config"));
  writeFileSync(join(cwd, "config/gateway.yaml"), "spec: { max_age: 3 }\n");
  const refused = await check(cwd, env);
  expect([refused.code, refused.of("configuration")[0]?.status]).toEqual([1, "fail"]);
});

it("finds a newer store in what a process that was killed has left in its log", async () => {
  const { cwd, dataDir, env } = await deployed("99.0.0");
  const file = join(dataDir, "parley.db");
  const [left, log] = [`${file}.left`, `${file}.left-wal`];
  const db = new DatabaseSync(file);
  db.exec(
    `PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = ${MIGRATIONS.length + 1}`,
  );
  copyFileSync(file, left);
  copyFileSync(`${file}-wal`, log);
  db.close();
  renameSync(left, file);
  copyFileSync(log, `${file}-wal`);
  // Whoever looks a second time finds it still.
  for (let time = 0; time < 2; time++) {
    const { of } = await check(cwd, env);
    expect(of("store")).toMatchObject([
      { status: "fail", message: expect.stringContaining("STORE_SCHEMA_NEWER") },
    ]);
  }
});

it.each([
  ["0.1.0", "0.1.0", 0],
  ["0.1.0", "0.2.0", -1],
  ["0.10.0", "0.9.9", 1],
  ["1.0.0-rc.1", "1.0.0", -1],
])("%s beside %s", (one, other, order) => {
  expect(Math.sign(compare(one, other))).toBe(order);
});
