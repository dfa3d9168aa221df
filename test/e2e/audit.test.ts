import { execFile } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startRedis } from "../support/redis.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const HEADERS = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

interface Entry {
  readonly seq: number;
  readonly action: string;
  readonly actor: string;
}

const throwSwitch = (gateway: GatewayProcess, on: boolean, actor = "ann@laptop") =>
  fetch(`${gateway.url}/api/v1/kill-switch`, {
    method: "PUT",
    headers: { ...HEADERS, "x-parley-operator": actor },
    body: JSON.stringify({ on }),
  });

async function entries({ url }: GatewayProcess): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const from = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await fetch(`${url}/api/v1/audit?action=kill_switch.set&limit=50${from}`, {
      headers: HEADERS,
    });
    const page = (await answer.json()) as { entries: Entry[]; next: string | null };
    all.push(...page.entries);
    cursor = page.next;
  }
  return all;
}

/** What `parley audit verify` says, and how it ends. */
async function verify(args: readonly string[], env: Readonly<Record<string, string>>) {
  const options = { cwd: temporaryFolder(), env: { PATH: process.env.PATH, PARLEY_RUN: "compiled", ...env } };
  const command = [join(ROOT, "bin/parley.js"), "audit", "verify", "--json", ...args];
  const { stdout, code } = await promisify(execFile)(process.execPath, command, options).then(
    (done) => ({ ...done, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  const found = JSON.parse(stdout) as {
    ok: boolean;
    entries: number;
    fault: { seq: number; what: string } | null;
  };
  return { ...found, code };
}

it("what was done is kept over kill -9 in the middle of it, and what is changed in the file shows", async () => {
  const dataDir = temporaryFolder();
  const start = () => startGateway({ dataDir, env: { PARLEY_ADMIN_TOKEN: TOKEN } });
  const answered = new Set<string>();
  for (let round = 0; round < 3; round++) {
    await using gateway = await start();
    const changes = Array.from({ length: 20 }, async (_, n) => {
      const actor = `ann${round}-${n}`;
      if ((await throwSwitch(gateway, n % 2 === 0, actor)).status === 200) answered.add(actor);
      if (n === 10) await gateway.end("SIGKILL");
    });
    await Promise.allSettled(changes);
  }
  expect(answered.size).toBeGreaterThan(0);
  {
    await using gateway = await start();
    const actors = (await entries(gateway)).map(({ actor }) => actor);
    expect([...answered].filter((actor) => !actors.includes(actor))).toEqual([]);
    expect(new Set(actors).size).toBe(actors.length);
    expect(await verify([], { PARLEY_URL: gateway.url, PARLEY_ADMIN_TOKEN: TOKEN })).toMatchObject({
      ...{ ok: true, code: 0, fault: null },
    });
    expect(await gateway.end("SIGTERM")).toBe(0);
  }
  expect(await verify(["--data", dataDir], {})).toMatchObject({ ok: true, code: 0 });
  const db = new DatabaseSync(join(dataDir, "parley.db"));
  db.exec(`UPDATE audit SET body = replace(body, '"ann0-0"', '"eve"') WHERE seq = 2`);
  db.exec("UPDATE audit SET body = body || ' ' WHERE seq = 3");
  db.close();
  const { ok, code, fault } = await verify(["--data", dataDir], {});
  expect({ ok, code, what: fault?.what }).toEqual({ ok: false, code: 1, what: "changed" });
  expect([2, 3]).toContain(fault?.seq);
});

it("two replicas write one line of entries, also when one is killed", async () => {
  await using redis = await startRedis();
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, REDIS_URL: redis.url };
  const start = () => startGateway({ dataDir: temporaryFolder(), env });
  await using one = await start();
  await using other = await start();
  const answered = new Set<string>();
  const changes = Array.from({ length: 60 }, async (_, n) => {
    const actor = `bob-${n}`;
    const gateway = n % 2 === 0 ? one : other;
    if ((await throwSwitch(gateway, n % 3 === 0, actor)).status === 200) answered.add(actor);
    if (n === 31) await other.end("SIGKILL");
  });
  await Promise.allSettled(changes);
  const found = await entries(one);
  const actors = found.map(({ actor }) => actor);
  expect([...answered].filter((actor) => !actors.includes(actor))).toEqual([]);
  expect(answered.size).toBeGreaterThanOrEqual(30);
  expect(found.map(({ seq }) => seq)).toEqual(found.map(({ seq }) => seq).toSorted((a, b) => b - a));
  const verified = await verify([], { PARLEY_URL: one.url, PARLEY_ADMIN_TOKEN: TOKEN });
  expect(verified).toMatchObject({ ok: true, code: 0, fault: null });
  expect(verified.entries).toBeGreaterThanOrEqual(found.length);
  expect(await one.end("SIGTERM")).toBe(0);
});
