import { expect, it } from "vitest";
import { createTenantSweep } from "../../../src/app/privacy/tenants.ts";
import type { Turn } from "../../../src/domain/run.ts";
import { openAdmin } from "../../support/admin.ts";

const HOUR_MS = 3_600_000;

it("a workspace that keeps less loses what is over, with its memory and files, and no other does", async () => {
  const admin = await openAdmin();
  const { store, clock } = admin;
  const forgotten: unknown[] = [];
  const file = { id: "F1", kind: "image", name: null, mime: null, sizeBytes: 1 } as const;
  const sweep = createTenantSweep({
    ...{ store, clock },
    media: {
      find: async () => ({ sizeBytes: 1, read: async function* () {} }),
      forget: async (...key) => void forgotten.push(key),
    },
    keptSeconds: () => ({ "slack:T1": 7_200 }),
  });
  const say = async (id: string, tenant: string, place: string) => {
    const turns: Turn[] = [{ role: "user", name: "ann", text: id, atMs: clock.nowMs() }];
    const conversation = `slack:${tenant}:${place}`;
    const said = { id, tenant, conversation, occurredAtMs: clock.nowMs(), attachments: [file] };
    await admin.finish(said, { kind: "done", outcome: "answered", turns });
  };
  await say("slack:old", "T1", "C1");
  await say("slack:other", "T11", "C1");
  await admin.bury({
    id: "slack:dead",
    tenant: "T1",
    conversation: "slack:T1:C2",
    occurredAtMs: clock.nowMs(),
  });
  clock.advance(3 * HOUR_MS);
  await say("slack:new", "T1", "C1");
  expect(await sweep()).toBe(3);
  const left = await store.journal.list({ limit: 9 });
  expect(left.map(({ id }) => id)).toEqual(["slack:new", "slack:other"]);
  const recalled = async (key: string) =>
    (await store.memory.recall(key, { turnsMax: 9, sinceMs: 0 })).map(({ text }) => text);
  expect(await recalled("slack:T1:C1")).toEqual(["slack:new"]);
  expect(await recalled("slack:T11:C1")).toEqual(["slack:other"]);
  expect(forgotten).toEqual([["slack:T1:C1", "slack:old/F1"]]);
  // The whole store is looked through once an hour.
  clock.advance(HOUR_MS - 1);
  expect(await sweep()).toBe(0);
  clock.advance(2 * HOUR_MS);
  expect(await sweep()).toBe(2);
});
