import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type RestoreOptions, restore } from "../../src/backup/restore.ts";
import { verifyAudit } from "../../src/shared/audit-verify.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimAll } from "../support/store.ts";
import { aPlace, backUp, leaveEvents, NOW_MS, openStoreOf, type Place } from "./archives.ts";

async function bringBack(place: Place, archive: string, changes: Partial<RestoreOptions> = {}) {
  return await restore({
    ...{ archive, dataDir: place.dataDir, mediaDir: join(place.dataDir, "media") },
    ...{ configFolder: null, runsUnfinished: false, nowMs: NOW_MS + 1 },
    ...changes,
  });
}

it("brings everything back; what waited is a dead letter, which may be replayed", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  rmSync(place.dataDir, { recursive: true });
  expect(await bringBack(place, archive)).toMatchObject({ before: null, setAside: 1 });
  await using store = await openStoreOf(place);
  expect(await store.journal.find("test:done")).toMatchObject({ state: "done" });
  expect(await store.journal.find("test:waits")).toMatchObject({
    state: "dead",
    cause: "restored from a backup: whether it was answered after that is not known",
  });
  expect(await claimAll(store.queue)).toEqual([]);
  expect(await store.inbox.accept(anOffer(anEvent({ id: "test:waits" })))).toMatchObject({
    kind: "duplicate",
  });
  const again = { by: "ann", mode: "resume", states: ["dead"] } as const;
  expect(await store.archive.replay("test:waits", again)).toBe("queued");
  expect((await claimAll(store.queue)).map(({ event }) => event?.id)).toEqual(["test:waits"]);
});

it("brings back a configuration that is one file of agents, under whatever name it has now", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const file = join(place.root, "bots.yaml");
  writeFileSync(file, "the agents");
  const { archive, manifest } = await backUp({ ...place, configFolder: file });
  expect(manifest.files.map(({ path }) => path)).toContain("config/agents/bots.yaml");
  writeFileSync(file, "changed since");
  const { before } = await bringBack(place, archive, { configFolder: file });
  expect(readFileSync(file, "utf8")).toBe("the agents");
  expect(readFileSync(join(before ?? "", "config/bots.yaml"), "utf8")).toBe("changed since");
  const other = join(place.root, "other.yaml");
  await bringBack(place, archive, { configFolder: other, nowMs: NOW_MS + 2 });
  expect(readFileSync(other, "utf8")).toBe("the agents");
});

it("puts no folder of configuration into one file, and touches nothing", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  const file = join(place.root, "bots.yaml");
  writeFileSync(file, "the agents");
  await expect(bringBack(place, archive, { configFolder: file })).rejects.toThrow(
    /Expected an archive with one file of agents for .*bots.yaml, got config\/gateway.yaml, config\/agents\/assistant.yaml/,
  );
  expect(readdirSync(place.dataDir).some((name) => name.includes("restor"))).toBe(false);
  expect(readFileSync(file, "utf8")).toBe("the agents");
});

it("runs what waited where that is wanted", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  expect(await bringBack(place, archive, { runsUnfinished: true })).toMatchObject({ setAside: 0 });
  await using store = await openStoreOf(place);
  expect((await claimAll(store.queue)).map(({ event }) => event?.id)).toEqual(["test:waits"]);
});

it("keeps what was there", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  writeFileSync(join(place.configFolder, "gateway.yaml"), "# changed since\n");
  mkdirSync(join(place.dataDir, "tools"));
  const { before } = await bringBack(place, archive, { configFolder: place.configFolder });
  expect(before).toBe(join(place.dataDir, "before-restore-20260301T020000001Z"));
  expect(readdirSync(before ?? "").sort()).toEqual(["config", "parley.db"]);
  expect(readFileSync(join(before ?? "", "config/gateway.yaml"), "utf8")).toBe("# changed since\n");
  expect(readFileSync(join(place.configFolder, "gateway.yaml"), "utf8")).toContain("kind: Gateway");
  expect(readdirSync(place.dataDir).sort()).toEqual([
    "before-restore-20260301T020000001Z",
    "parley.db",
    "tools",
  ]);
});

it("refuses beside a running gateway, and touches nothing", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  await using store = await openStoreOf(place);
  await expect(bringBack(place, archive)).rejects.toThrow(/no gateway to run on .*parley\.db; stop it first/);
  expect(existsSync(join(place.dataDir, "before-restore-20260301T020000001Z"))).toBe(false);
  expect(await store.journal.find("test:waits")).toMatchObject({ state: "queued" });
});

it("checks the archive before it touches anything", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  writeFileSync(join(archive, "store/parley.db"), "x", { flag: "a" });
  const before = readdirSync(place.dataDir);
  const bytes = readFileSync(join(place.dataDir, "parley.db"));
  await expect(bringBack(place, archive)).rejects.toThrow(/parley\.db to have \d+ bytes/);
  expect(readdirSync(place.dataDir)).toEqual(before);
  expect(readFileSync(join(place.dataDir, "parley.db")).equals(bytes)).toBe(true);
});

it("replaces a database that is damaged", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  writeFileSync(join(place.dataDir, "parley.db"), "no database at all");
  await bringBack(place, archive);
  await using store = await openStoreOf(place);
  expect(await store.journal.find("test:done")).toMatchObject({ state: "done" });
});

it("leaves what was there when the archive cannot be put into place", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  // A file where a folder is wanted.
  const blocked = join(place.root, "blocked");
  writeFileSync(blocked, "");
  chmodSync(blocked, 0o400);
  await expect(bringBack(place, archive, { configFolder: join(blocked, "config") })).rejects.toThrow(
    /Could not put the archive into place, and left what was there/,
  );
  await using store = await openStoreOf(place);
  expect(await store.journal.find("test:waits")).toMatchObject({ state: "queued" });
});

it("says in the audit of what is restored that it was", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  const deed = { atMs: NOW_MS, actor: "ann@laptop", role: "operator", action: "store.restored" } as const;
  await bringBack(place, archive, { note: { id: "aud_1", deed: { ...deed, subject: "parley-1" } } });
  await using store = await openStoreOf(place);
  const { rows } = await store.audit.read({ limit: 9 });
  expect(rows.map(({ body }) => JSON.parse(body))).toMatchObject([
    { seq: 1, actor: "ann@laptop", action: "store.restored", subject: "parley-1" },
  ]);
  expect((await verifyAudit((page) => store.audit.read(page))).fault).toBeNull();
});
