import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import type { ComplianceReport } from "../../src/cli/compliance.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { systemClock } from "../../src/system/clock.ts";
import { fakeServer } from "../fakes/server.ts";
import { call, emptyFolder } from "./helpers.ts";

/** A backup and a store: each opens databases. */
vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "0f9b1c55e0a2476c8d3e7a1b2c4d5e6f";
const GATEWAY = (today: string) => `kind: Gateway
spec:
  routes: [{ agent: assistant }]
  compliance:
    contacts:
      - { role: security, name: "The rota", reach: "+49 30 1" }
      - { role: operations, name: "The other rota", reach: "#ops" }
    reviewed: ${today}
    disk: encrypted
`;

/** What it takes to pass; each test spoils something. */
async function kept(compliance = GATEWAY(new Date().toISOString().slice(0, 10))) {
  const cwd = emptyFolder();
  const dataDir = join(cwd, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const limits = { waitingPerLaneMax: 10, waitingMax: 10 };
  const store = await openSqliteStore({ file: join(dataDir, "parley.db"), clock: systemClock, limits });
  await store[Symbol.asyncDispose]();
  mkdirSync(join(cwd, "config"));
  writeFileSync(join(cwd, "config/gateway.yaml"), compliance);
  const gateway = await fakeServer((one) =>
    one.headers.authorization === `Bearer ${TOKEN}`
      ? { body: { entries: [{ seq: 1, hash: "ab".repeat(32) }], next: null } }
      : { status: 401, body: {} },
  );
  onTestFinished(() => gateway.close());
  const env = {
    PARLEY_URL: gateway.url,
    PARLEY_ADMIN_TOKEN: TOKEN,
    PARLEY_METRICS_TOKEN: "c1d2e3f4a5b697887960514233241506",
    PARLEY_ENCRYPTION_KEY: Buffer.from("0123456789abcdef0123456789ABCDEF").toString("base64"),
    PARLEY_PUBLIC_URL: "https://chat.example",
    PARLEY_ENV: "production",
    PARLEY_DATA_DIR: dataDir,
  };
  return { cwd, env };
}

async function examine(cwd: string, env: Record<string, string>) {
  const result = await call(["doctor", "--compliance", "--json"], { cwd, env });
  const report = JSON.parse(result.stdout) as ComplianceReport;
  const amiss = report.checks
    .filter(({ status }) => status !== "ok")
    .map(({ check, status }) => `${status} ${check}`);
  return { ...result, report, amiss };
}

it("passes where all five are as they should be, and leaves a report with the day of the next", async () => {
  const { cwd, env } = await kept();
  expect(await call(["backup", "--to", "backups"], { cwd, env })).toMatchObject({ code: 0 });
  const { code, stderr, report, amiss } = await examine(cwd, env);
  expect([code, amiss, report.result]).toEqual([0, [], "passed"]);
  expect(report.checks.map(({ check }) => check)).toEqual([
    "encryption",
    "access",
    "audit",
    "backup",
    "contacts",
  ]);
  expect(Date.parse(report.next_at) - Date.parse(report.at)).toBe(90 * 86_400_000);
  const [name = ""] = readdirSync(join(cwd, "compliance"));
  const path = join(cwd, "compliance", name);
  expect(stderr).toContain(`stored in ${path}; the next is due ${report.next_at}`);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(report);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(JSON.stringify(report)).not.toContain(TOKEN);
});

it("names programs of tools that are in no sandbox, until the gateway has one for all", async () => {
  const { cwd, env } = await kept();
  mkdirSync(join(cwd, "config/agents"));
  writeFileSync(
    join(cwd, "config/agents/assistant.yaml"),
    `metadata: { name: assistant }
spec:
  model: { provider: demo }
  tools:
    - { name: say, type: command, command: echo }
    - { name: clock, type: builtin, builtin: time }
`,
  );
  const open = (await examine(cwd, env)).report.checks.filter(({ check }) => check === "access");
  expect(open.map(({ message }) => message)).toEqual([
    "the program of the tool assistant/say can read what the gateway can, its secrets too",
  ]);
  const gateway = join(cwd, "config/gateway.yaml");
  writeFileSync(gateway, `${readFileSync(gateway, "utf8")}  tools: { sandbox: true }\n`);
  const shut = (await examine(cwd, env)).report.checks.filter(({ check }) => check === "access");
  expect(shut.map(({ status }) => status)).toEqual(["ok"]);
});

it("fails for what is amiss in each, says what to do, and remembers when it was due", async () => {
  const { cwd, env } = await kept(
    "kind: Gateway\nspec: { routes: [{ agent: assistant }], compliance: { disk: unencrypted } }\n",
  );
  mkdirSync(join(cwd, "compliance"));
  writeFileSync(
    join(cwd, "compliance/compliance-20260101T000000000Z.json"),
    '{"at":"2026-01-01T00:00:00.000Z","next_at":"2026-04-01T00:00:00.000Z"}',
  );
  const { code, report, amiss, stderr } = await examine(cwd, {
    ...env,
    PARLEY_ADMIN_TOKEN: "another-admin-token-0123456789abcdef",
    PARLEY_PUBLIC_URL: "http://chat.example",
    PARLEY_DEV_KEY: "changeme-changeme",
  });
  expect([code, report.result]).toEqual([1, "failed"]);
  expect(new Set(amiss)).toEqual(
    new Set(["fail encryption", "warn access", "fail audit", "fail backup", "fail contacts"]),
  );
  expect(report.checks.every(({ status, fix }) => status === "ok" || fix !== null)).toBe(true);
  expect(stderr).toContain("this one was due 2026-04-01T00:00:00.000Z");
});

it("fails for a backup that is too old, or damaged", async () => {
  const { cwd, env } = await kept();
  const made = await call(["backup", "--to", "backups", "--json"], { cwd, env });
  const { path } = JSON.parse(made.stdout) as { path: string };
  const manifest = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));
  const write = (over: object) =>
    writeFileSync(join(path, "manifest.json"), JSON.stringify({ ...manifest, ...over }));
  write({ created_at: "2026-01-01T00:00:00.000Z" });
  expect((await examine(cwd, env)).amiss).toEqual(["fail backup"]);
  write({ files: [{ ...manifest.files[0], sha256: "0".repeat(64) }] });
  expect((await examine(cwd, env)).report.checks[3]?.message).toContain("is damaged");
});
