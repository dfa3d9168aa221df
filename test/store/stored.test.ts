import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { anOffer, LEASE_MS } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { startRedis } from "../support/redis.ts";
import { aFolder } from "./folder.ts";
import { connectionTo, newPrefix, openOn } from "./redis/setup.ts";

const LIMITS = { waitingPerLaneMax: 100, waitingMax: 1_000 };
const DAY_MS = 24 * 3_600_000;
const DAMAGE = "EVENT_DAMAGED: expected its text as written, got something else from the disk";

async function acceptThree(store: Store): Promise<void> {
  for (const id of ["slack:a", "slack:b", "slack:c"])
    await store.inbox.accept(
      anOffer(anEvent({ id, aliases: [`${id}-twin`], conversation: `slack:T1:${id}`, text: `of ${id}` })),
    );
}

/** The second of three cannot be read: the others go on, it becomes a dead letter, and nothing trips over that. */
async function othersGoOn(store: Store, clock: FakeClock): Promise<void> {
  const jobs = await store.queue.claim({ jobsMax: 10, leaseMs: LEASE_MS });
  expect(jobs.map(({ event }) => event.id)).toEqual(["slack:a", "slack:b", "slack:c"]);
  expect(jobs.map(({ damage }) => damage)).toEqual([undefined, DAMAGE, undefined]);
  const [, broken] = jobs;
  if (broken === undefined) throw new Error("Expected a second job");
  expect(broken.event).toMatchObject({ platform: "slack", conversation: "slack:T1:slack:b", text: "" });
  expect(await store.queue.settle(broken, { kind: "dead", cause: DAMAGE })).toBe(true);

  const found = await store.journal.find("slack:b");
  expect(found).toMatchObject({ id: "slack:b", state: "dead", cause: DAMAGE });
  expect((await store.journal.list({ limit: 10 })).map(({ id }) => id)).toEqual([
    "slack:c",
    "slack:b",
    "slack:a",
  ]);
  clock.advance(30 * DAY_MS);
  await store.sweep({ finishedMs: DAY_MS, deadMs: DAY_MS, turnsMs: DAY_MS });
  expect(await store.journal.find("slack:b")).toBeNull();
}

function keysLeft(file: string): unknown[] {
  const db = new DatabaseSync(file);
  const keys = db.prepare("SELECT key FROM keys ORDER BY key").all();
  db.close();
  return keys.map(({ key }) => key);
}

describe("an event of which a bit was turned on the disk", () => {
  it("is a dead letter, and holds up no other: SQLite", async () => {
    const folder = aFolder("memory");
    const clock = new FakeClock();
    const file = join(folder.path, "parley.db");
    const before = await openInlineStore({ file, clock, limits: LIMITS });
    await acceptThree(before);
    await before[Symbol.asyncDispose]();
    const db = new DatabaseSync(file);
    db.exec(`UPDATE events SET body = replace(body, '"text":"of slack:b"', '"text":!of slack:b"')`);
    db.close();
    const store = await openInlineStore({ file, clock, limits: LIMITS });
    await othersGoOn(store, clock);
    expect(await store.archive.replay("slack:b", { by: "ops", mode: "anew", states: ["dead"] })).toBe(
      "unknown",
    );
    await store[Symbol.asyncDispose]();
    // Of the others, which are in hand.
    expect(keysLeft(file)).toEqual(["slack:a", "slack:a-twin", "slack:c", "slack:c-twin"]);
    folder.remove();
  });

  it("bars its duplicates for as long as any other, and leaves no key after that", async () => {
    const folder = aFolder("memory");
    const clock = new FakeClock();
    const file = join(folder.path, "parley.db");
    const before = await openInlineStore({ file, clock, limits: LIMITS });
    await acceptThree(before);
    for (const job of await before.queue.claim({ jobsMax: 10, leaseMs: LEASE_MS }))
      await before.queue.settle(job, { kind: "dead", cause: DAMAGE });
    await before[Symbol.asyncDispose]();
    const db = new DatabaseSync(file);
    db.exec(`UPDATE events SET body = replace(body, '"aliases":["slack:b-twin"]', '"aliases":[17]')`);
    db.exec(`UPDATE events SET body = replace(body, '"text":"of slack:c"', '"text":!')`);
    db.close();
    const store = await openInlineStore({ file, clock, limits: LIMITS });
    clock.advance(1);
    await store.sweep({ finishedMs: 0, deadMs: 0, turnsMs: DAY_MS });
    expect(await store.journal.list({ limit: 10 })).toEqual([]);
    for (const id of ["slack:b-twin", "slack:c-twin"])
      expect(await store.inbox.accept(anOffer(anEvent({ id })))).toEqual({ kind: "duplicate" });
    clock.advance(30 * DAY_MS);
    await store.sweep({ finishedMs: 0, deadMs: 0, turnsMs: DAY_MS });
    await store[Symbol.asyncDispose]();
    expect(keysLeft(file)).toEqual([]);
    folder.remove();
  });

  it("cannot be replayed, which is said", async () => {
    const folder = aFolder("memory");
    const clock = new FakeClock();
    const file = join(folder.path, "parley.db");
    const before = await openInlineStore({ file, clock, limits: LIMITS });
    await acceptThree(before);
    const [job] = await before.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS });
    if (job === undefined) throw new Error("Expected a job");
    await before.queue.settle(job, { kind: "dead", cause: "tried" });
    await before[Symbol.asyncDispose]();
    const db = new DatabaseSync(file);
    db.exec("UPDATE events SET body = replace(body, '\"text\"', '\"text')");
    db.close();
    await using store = await openInlineStore({ file, clock, limits: LIMITS });
    const request = { by: "ops", mode: "anew", states: ["dead"] } as const;
    expect(await store.archive.replay(job.event.id, request)).toBe("wrong-state");
    folder.remove();
  });

  it("is a dead letter, and holds up no other: Redis", async () => {
    await using redis = await startRedis();
    const clock = new FakeClock();
    const prefix = newPrefix();
    const { store } = await openOn(
      connectionTo(redis.url),
      { clock, limits: LIMITS },
      { prefix, owner: "one" },
    );
    await using _ = store;
    await acceptThree(store);
    const keys = (await redis.cli("KEYS", `*${prefix}*`)) as string[];
    let turned = 0;
    for (const key of keys) {
      if ((await redis.cli("TYPE", key)) !== "hash") continue;
      const body = (await redis.cli("HGET", key, "body")) as string | null;
      if (!body?.includes('"of slack:b"')) continue;
      await redis.cli("HSET", key, "body", body.replace('"of slack:b"', "!of slack:b"));
      turned++;
    }
    expect(turned).toBe(1);
    await othersGoOn(store, clock);
  });
});
