import { expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.ts";
import type { AuditEntry } from "../../src/domain/audit.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import { hashBehind } from "../../src/shared/audit-chain.ts";
import { type Admin, type AdminOptions, jsonBody, openAdmin } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";

const open = (options: AdminOptions = {}) => openAdmin(options);
const headers = { "x-parley-operator": "ann", "user-agent": "curl/8" };

async function entriesOf({ ask }: Admin, query = "") {
  const response = await ask(`/audit${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as { entries: AuditEntry[]; next: string | null };
}

function put(path: string, body: object) {
  return [path, { ...jsonBody(body), method: "PUT" }] as const;
}

/** Each with the headers of ann. */
async function asAnn({ ask }: Admin, path: string, init: RequestInit = {}) {
  const given = new Headers(init.headers);
  for (const [name, value] of Object.entries(headers)) given.set(name, value);
  return await ask(path, { ...init, headers: given });
}

it("has who did what, from where, and what was so before and after", async () => {
  const admin = await open();
  await asAnn(admin, ...put("/kill-switch", { on: true, agent: "assistant", reason: "says nonsense" }));
  const { entries, next } = await entriesOf(admin);
  expect(next).toBeNull();
  expect(entries).toEqual([
    {
      ...{ seq: 1, id: expect.stringMatching(/^aud_/), at: "2023-11-14T22:13:20.000Z" },
      ...{ actor: "ann", role: "operator", action: "kill_switch.set", subject: "agent:assistant" },
      ...{ peer: "192.0.2.1", user_agent: "curl/8", request_id: expect.any(String) },
      before: { on: false, by_configuration: false, switch: null, agents: [], platforms: [] },
      after: expect.objectContaining({
        agents: [{ name: "assistant", by: "ann", since: expect.any(String), reason: "says nonsense" }],
      }),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
  const { hash, ...rest } = entries[0] as AuditEntry;
  // As anybody can do it who reads docs/audit.md.
  expect(hashBehind({ hash: "0".repeat(64) }, JSON.stringify(rest))).toBe(hash);
});

it("has whatever changes something, and nothing of what only reads or did not come about", async () => {
  const admin = await open();
  await admin.bury({ id: "slack:E1", conversation: "c1" });
  await admin.bury({ id: "slack:E2", conversation: "c2" });
  await admin.bury({ id: "slack:E3", conversation: "c3" });
  const id = encodeURIComponent("slack:E1");
  await asAnn(admin, ...put("/log-level", { level: "debug" }));
  await asAnn(admin, ...put("/limits", { user: "off" }));
  await asAnn(admin, "/breakers/slack/reset", { method: "POST" });
  await asAnn(admin, `/dead/${id}/replay`, { method: "POST" });
  await asAnn(admin, `/dead/${encodeURIComponent("slack:E2")}`, { method: "DELETE" });
  await (await asAnn(admin, "/dead/drop", jsonBody({ kind: "inbound" }))).text();
  for (const path of ["/events", "/dead", "/kill-switch", "/audit", "/audit/verify", `/dead/${id}`])
    await asAnn(admin, path);
  await asAnn(admin, ...put("/kill-switch", { on: "yes" }));
  await asAnn(admin, ...put("/kill-switch", { on: true, agent: "nobody" }));
  await asAnn(admin, "/dead/none/replay", { method: "POST" });
  await (await asAnn(admin, "/dead/drop", jsonBody({ dry_run: true }))).text();
  const { entries } = await entriesOf(admin);
  expect(entries.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    "letters.dropped dead letters",
    "letters.drop_begun dead letters",
    "letter.dropped slack:E2",
    "letter.replayed slack:E1",
    "breaker.reset slack",
    "limits.set limits",
    "log_level.set log level",
  ]);
  expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set(["ann"]));
});

it("knows how to tell each operation that changes something", async () => {
  const { readFileSync } = await import("node:fs");
  const source = readFileSync(new URL("../../src/admin/audited.ts", import.meta.url), "utf8");
  const changing = Object.entries(OPERATIONS).filter(([, { method }]) => method !== "get");
  expect(changing.filter(([name]) => !source.includes(`  ${name}: `))).toEqual([]);
});

it("has refused tokens, so many of a flood that nothing else is crowded out", async () => {
  const admin = await open();
  for (let n = 0; n < 500; n++) await admin.ask("/events", { headers: { authorization: "Bearer wrong" } });
  await admin.ask("/events", { headers: { authorization: "" } });
  const { entries } = await entriesOf(admin, "?role=stranger");
  expect(entries).toHaveLength(10);
  expect(entries[9]).toMatchObject({ action: "token.refused", subject: "admin", after: { answer: "wrong" } });
  expect(JSON.stringify(entries)).not.toContain("Bearer");
  admin.clock.advance(601_000);
  await admin.ask("/events", { headers: { authorization: "Bearer wrong" } });
  const later = await entriesOf(admin, "?action=token.refused&limit=1");
  expect(later.entries[0]?.after).toEqual({ answer: "wrong", left_out: 490 });
});

it("is filtered, and read page by page", async () => {
  const admin = await open();
  for (const level of ["debug", "warn", "info"]) await asAnn(admin, ...put("/log-level", { level }));
  admin.clock.advance(3_600_000);
  await admin.ask(...put("/kill-switch", { on: true }));
  const seqs = async (query: string) => (await entriesOf(admin, query)).entries.map(({ seq }) => seq);
  expect(await seqs("?actor=ann")).toEqual([3, 2, 1]);
  expect(await seqs("?actor=admin")).toEqual([4]);
  expect(await seqs("?since=30m")).toEqual([4]);
  expect(await seqs("?until=30m")).toEqual([3, 2, 1]);
  expect(await seqs("?subject=all&role=operator&action=kill_switch.set")).toEqual([4]);
  expect(await seqs("?role=member")).toEqual([]);
  const { entries, next } = await entriesOf(admin, "?limit=2");
  expect(entries.map(({ seq }) => seq)).toEqual([4, 3]);
  expect(await seqs(`?limit=2&cursor=${next}`)).toEqual([2, 1]);
  for (const query of ["?cursor=3", "?role=root", "?seq=1", "?limit=0"])
    expect((await admin.ask(`/audit${query}`)).status).toBe(400);
});

it("says whether it is whole, and whether an entry has the hash that somebody has noted", async () => {
  const admin = await open();
  for (const level of ["debug", "warn"]) await asAnn(admin, ...put("/log-level", { level }));
  const verify = async (query = "") => (await (await admin.ask(`/audit/verify${query}`)).json()) as object;
  const { entries } = await entriesOf(admin);
  const last = { seq: 2, hash: entries[0]?.hash };
  expect(await verify()).toMatchObject({ ok: true, entries: 2, first: { seq: 0 }, last, fault: null });
  expect(await verify(`?seq=2&hash=${last.hash}`)).toMatchObject({ ok: true });
  expect(await verify(`?seq=1&hash=${last.hash}`)).toMatchObject({ ok: false, fault: { seq: 1 } });
  for (const query of ["?seq=1", `?hash=${last.hash}`, "?seq=0&hash=x", "?seq=1&hash=x"])
    expect((await admin.ask(`/audit/verify${query}`)).status).toBe(400);
});

it("holds up no change while it cannot be written, and has it once it can", async () => {
  let isAway = true;
  const admin = await open({
    broken: ({ audit }) => ({
      audit: {
        ...audit,
        add: async (row, after) => {
          if (isAway) throw new GatewayError("STORE_UNAVAILABLE", "away");
          return await audit.add(row, after);
        },
      },
    }),
  });
  const { clock } = admin;
  const asleep = (count: number) => eventually(async () => expect(clock.sleeping).toBe(count), 10_000);
  const idle = clock.sleeping;
  const asking = asAnn(admin, ...put("/log-level", { level: "debug" }));
  // Whoever asks for the change, and whoever tries to write it down.
  await asleep(idle + 2);
  clock.advance(1_000);
  expect((await asking).status).toBe(200);
  expect((await entriesOf(admin)).entries).toEqual([]);
  expect(await admin.metrics.auditWaiting.get()).toMatchObject({ values: [{ value: 1 }] });
  isAway = false;
  await asleep(idle + 1);
  admin.clock.advance(1_000);
  const kept = await eventually(async () => {
    const { entries } = await entriesOf(admin);
    expect(entries).toHaveLength(1);
    return entries[0];
  }, 10_000);
  expect(kept).toMatchObject({ action: "log_level.set", at: "2023-11-14T22:13:20.000Z" });
});

it("has what may have been done, where the answer was lost", async () => {
  const admin = await open({
    broken: ({ archive }) => ({
      archive: {
        ...archive,
        drop: async (...args) => {
          await archive.drop(...args);
          throw new GatewayError("STORE_UNAVAILABLE", "it went away");
        },
      },
    }),
  });
  await admin.bury({ id: "slack:E1" });
  expect((await asAnn(admin, "/dead/slack%3AE1", { method: "DELETE" })).status).toBe(503);
  const { entries } = await entriesOf(admin);
  expect(entries).toMatchObject([{ action: "letter.dropped", after: { failed: "STORE_UNAVAILABLE" } }]);
});
