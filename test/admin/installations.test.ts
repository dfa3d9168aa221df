import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Installation, writeInstallation } from "../../adapters/slack/installation.ts";
import { Installations, PREFIX } from "../../adapters/slack/installations.ts";
import { createKeeper } from "../../adapters/slack/keeper.ts";
import { createRefresh } from "../../adapters/slack/rotation.ts";
import type { Secrets } from "../../src/ports/secrets.ts";
import { Seal } from "../../src/shared/seal.ts";
import { Secret } from "../../src/shared/secret.ts";
import { createSecrets } from "../../src/store/secrets.ts";
import { call } from "../cli/helpers.ts";
import { type FakeSlack, fakeSlack } from "../fakes/slack.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";

const FEATURES = [
  { words: "answer", scopes: ["chat:write"], events: [], isVital: true as const },
  { words: "give a long answer as a file", scopes: ["files:write"], events: [] },
];
let fake: FakeSlack;
let admin: Admin;
let secrets: Secrets;
let lines: unknown[];

beforeEach(async () => {
  fake = await fakeSlack({ token: "nobody's" });
  onTestFinished(() => fake.close());
  lines = [];
  admin = await openAdmin({
    log: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    installations(store, clock) {
      secrets = createSecrets(new Seal([randomBytes(32)]), store);
      const nameOf = (tenant: string) => PREFIX + tenant;
      const exchange = async () => ({});
      const refresh = createRefresh({ secrets, holds: store.holds, clock, exchange, nameOf });
      const installations = new Installations({ secrets, clock, refresh });
      const web = { apiUrl: fake.apiUrl, timeoutMs: 5_000, clock };
      const more = { features: FEATURES, removed: () => {} };
      return new Map([["slack", createKeeper({ ...web, ...more, secrets, installations })]]);
    },
  });
});

async function installed(tenant: string, more: Partial<Installation> = {}): Promise<void> {
  const installation: Installation = {
    tenant,
    name: `Team ${tenant}`,
    isEnterprise: tenant.startsWith("E"),
    appId: "A1",
    botUserId: "UBOT",
    scopes: ["chat:write", "files:write"],
    token: new Secret(`xoxb-hunter2-${tenant}`),
    rotation: null,
    installedAtMs: Date.parse("2026-11-01T00:00:00Z"),
    installedBy: "UADMIN",
    ...more,
  };
  await secrets.put(PREFIX + tenant, writeInstallation(installation));
  fake.installs.tokens.set(installation.token.reveal(), { team: tenant, error: null });
}

const listed = async (query = "") => {
  const response = await admin.ask(`/installations${query}`);
  const text = await response.text();
  expect(text).not.toContain("hunter2");
  return JSON.parse(text) as { installations: { id: string }[]; next: string | null };
};

describe("GET /installations", () => {
  it("tells what each is, and nothing of its token", async () => {
    expect(await listed()).toEqual({ installations: [], next: null });
    await installed("T2");
    await installed("E1", {
      rotation: {
        refreshToken: new Secret("xoxe-hunter2"),
        expiresAtMs: Date.parse("2026-11-01T12:00:00Z"),
        lifeMs: 1,
      },
    });
    expect(await listed()).toEqual({
      installations: [
        {
          id: "slack:E1",
          platform: "slack",
          tenant: "E1",
          state: "ok",
          name: "Team E1",
          kind: "organisation",
          scopes: ["chat:write", "files:write"],
          installed_at: "2026-11-01T00:00:00.000Z",
          installed_by: "UADMIN",
          token_expires_at: "2026-11-01T12:00:00.000Z",
        },
        expect.objectContaining({ id: "slack:T2", kind: "workspace", token_expires_at: null }),
      ],
      next: null,
    });
    expect(await listed("?platform=discord")).toEqual({ installations: [], next: null });
  });

  it("pages through many of them, each once", async () => {
    for (let i = 10; i < 17; i++) await installed(`T${i}`);
    const ids: string[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const page = await listed(`?limit=3${next === "" ? "" : `&cursor=${next}`}`);
      ids.push(...page.installations.map(({ id }) => id));
      next = page.next;
    }
    expect(ids).toEqual([10, 11, 12, 13, 14, 15, 16].map((n) => `slack:T${n}`));
    expect((await admin.ask("/installations?cursor=zzz")).status).toBe(400);
  });

  it("asks the platform about each when told to: refused, lacking a scope, not to be opened", async () => {
    await installed("T1");
    await installed("T2");
    await installed("T3");
    fake.installs.tokens.set("xoxb-hunter2-T2", { team: "T2", error: "token_revoked" });
    fake.installs.tokens.set("xoxb-hunter2-T3", { team: "T3", error: null, scopes: ["chat:write"] });
    const stranger = createSecrets(new Seal([randomBytes(32)]), admin.store);
    await stranger.put(`${PREFIX}T4`, "sealed by another");
    expect(await listed("?check=true")).toMatchObject({
      installations: [
        { id: "slack:T1", findings: [{ status: "ok" }] },
        {
          id: "slack:T2",
          findings: [
            {
              status: "fail",
              message: "Slack does not take its token: auth.test: token_revoked",
              fix: expect.stringContaining("parley installations remove slack:T2"),
            },
          ],
        },
        {
          id: "slack:T3",
          findings: [
            { status: "ok" },
            { status: "warn", message: expect.stringContaining("the scope files:write is missing") },
          ],
        },
        {
          id: "slack:T4",
          state: "unreadable",
          name: null,
          findings: [{ status: "fail", message: expect.stringContaining("PARLEY_ENCRYPTION_KEY") }],
        },
      ],
    });
    // A look changes nothing, whatever it finds.
    expect((await listed()).installations).toHaveLength(4);
  });
});

describe("DELETE /installations/{id}", () => {
  it("forgets one, ends its token, and leaves a line in the log", async () => {
    await installed("T1");
    await installed("T2");
    const headers = { "x-parley-operator": "ann@laptop" };
    const response = await admin.ask("/installations/slack%3AT1", { method: "DELETE", headers });
    expect([response.status, await response.json()]).toEqual([
      200,
      { id: "slack:T1", status: "removed", by: "ann@laptop" },
    ]);
    expect((await listed()).installations.map(({ id }) => id)).toEqual(["slack:T2"]);
    expect(fake.installs.tokens.get("xoxb-hunter2-T1")?.error).toBe("token_revoked");
    expect(fake.installs.tokens.get("xoxb-hunter2-T2")?.error).toBeNull();
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "installation.removed", installation: "slack:T1", by: "ann@laptop" }),
    );
    expect(JSON.stringify(lines)).not.toContain("hunter2");
  });

  it("forgets one whose platform is away, or whose token nobody can open", async () => {
    await installed("T1");
    const stranger = createSecrets(new Seal([randomBytes(32)]), admin.store);
    await stranger.put(`${PREFIX}T4`, "sealed by another");
    await fake.close();
    for (const id of ["slack:T1", "slack:T4"])
      expect((await admin.ask(`/installations/${id}`, { method: "DELETE" })).status).toBe(200);
    expect(await listed()).toEqual({ installations: [], next: null });
  });

  it.each(["slack:T9", "discord:T1", "nowhere:T1", "T1", "slack:", "%00"])("knows no %s", async (id) => {
    await installed("T1");
    const response = await admin.ask(`/installations/${encodeURIComponent(id)}`, { method: "DELETE" });
    expect(response.status).toBe(404);
    expect((await listed()).installations).toHaveLength(1);
  });
});

describe("parley installations", () => {
  const env = async () => ({ PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() });

  it("lists them, and ends with 1 where the platform takes one no more", async () => {
    const options = { env: await env() };
    expect(await call(["installations", "list"], options)).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "No installations.\n",
    });
    await installed("T1", { name: "Acme \u001b[2J" });
    const shown = await call(["installations", "list"], options);
    expect(shown).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Acme \\u\{1b\}\[2J.*slack:T1\n/s),
    });
    fake.installs.tokens.set("xoxb-hunter2-T1", { team: "T1", error: "account_inactive" });
    const looked = await call(["installations", "list", "--check", "--json"], options);
    expect(looked.code).toBe(1);
    expect(JSON.parse(looked.stdout)).toMatchObject([{ id: "slack:T1", findings: [{ status: "fail" }] }]);
    expect(shown.stdout + looked.stdout + looked.stderr).not.toContain("hunter2");
  });

  it("removes one when that is meant", async () => {
    await installed("T1");
    const options = { env: await env() };
    const remove = ["installations", "remove", "slack:T1"];
    expect(await call(remove, options)).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    const refused = await call(remove, { ...options, confirm: async () => false });
    expect(refused).toMatchObject({ code: 1, stderr: "parley: nothing was removed\n" });
    expect(await call([...remove, "--yes", "--json"], options)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"status": "removed"'),
    });
    expect(await call([...remove, "--yes"], options)).toMatchObject({
      code: 1,
      stderr: "parley: There is no installation of this id\n",
    });
  });

  it("is asked by doctor, which has no key to the tokens itself", async () => {
    const { PARLEY_URL, ...token } = await env();
    const options = { env: { ...token, PARLEY_PORT: new URL(PARLEY_URL).port } };
    const look = async (given = options) => {
      const result = await call(["doctor", "--json"], given);
      expect(result.stdout).not.toContain("hunter2");
      const findings = JSON.parse(result.stdout) as { check: string }[];
      return findings.filter(({ check }) => check === "installations");
    };
    expect(await look()).toEqual([]);
    await installed("T1");
    await installed("T2");
    fake.installs.tokens.set("xoxb-hunter2-T2", { team: "T2", error: "token_revoked" });
    expect(await look()).toEqual([
      expect.objectContaining({
        status: "fail",
        message: expect.stringMatching(/^slack:T2: .*token_revoked$/),
      }),
      expect.objectContaining({ status: "ok", message: "1 of 2 are as they should be" }),
    ]);
    const wrong = { env: { ...options.env, PARLEY_ADMIN_TOKEN: "wrong".repeat(10) } };
    expect(await look(wrong)).toEqual([expect.objectContaining({ status: "warn" })]);
  });
});
