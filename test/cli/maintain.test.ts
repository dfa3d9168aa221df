import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { verifyArchive } from "../../src/backup/verify.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { connectionTo, openOn } from "../store/redis/setup.ts";
import { openAdmin, TOKEN } from "../support/admin.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { startRedis } from "../support/redis.ts";
import { anOffer } from "../support/store.ts";
import { call, emptyFolder } from "./helpers.ts";

const LIMITS = { waitingPerLaneMax: 1_000, waitingMax: 10_000 };
const OLD_MS = 1_700_000_000_000;

/** Two that were merged into one, one that was answered, one dead letter, and one that waits. */
async function fill(store: Store, text = "hello"): Promise<void> {
  const claim = async () =>
    (await store.queue.claim({ jobsMax: 1, leaseMs: 60_000, controlOnly: false }))[0] as Job;
  const done = { kind: "done", outcome: "answered", turns: [] } as const;
  for (const id of ["m1", "m2"])
    await store.inbox.accept(anOffer(anEvent({ id, conversation: "c1", text }), { busy: "collect" }));
  const merging = await claim();
  await store.queue.join(merging);
  await store.queue.settle(merging, done);
  await store.inbox.accept(anOffer(anEvent({ id: "answered", conversation: "c2", text })));
  await store.queue.settle(await claim(), done);
  await store.inbox.accept(anOffer(anEvent({ id: "dead", conversation: "c3", text })));
  await store.queue.settle(await claim(), { kind: "dead", cause: "gave up" });
  await store.inbox.accept(anOffer(anEvent({ id: "waits", conversation: "c4", text })));
}
const idsIn = async (store: Store) => (await store.journal.list({ limit: 100 })).map(({ id }) => id);
const actionsIn = async (store: Store) =>
  (await store.audit.read({ limit: 100 })).rows.map(({ body }) => JSON.parse(body).action).reverse();
const linesIn = (archive: string) =>
  gunzipSync(readFileSync(join(archive, "events/finished.ndjson.gz")))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("beside a gateway that runs", () => {
  async function aGateway() {
    const admin = await openAdmin();
    await fill(admin.store, "line\u2028separator");
    const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
    return { ...admin, maintain: (...args: readonly string[]) => call(["maintain", ...args], { env }) };
  }

  it("checks, makes smaller, and prunes, and the audit has who did", async () => {
    const { maintain, store, clock } = await aGateway();
    expect(await maintain("check")).toMatchObject({
      ...{ code: 0, stderr: "", stdout: expect.stringMatching(/^Whole: 5 events, read in \d+\.\d s\.\n$/) },
    });
    expect(await maintain("vacuum")).toMatchObject({
      ...{ code: 0, stdout: expect.stringMatching(/^0 bytes given back, \d+ left; nobody waited/) },
    });
    clock.advance(8 * 86_400_000);
    const counted = await maintain("prune", "--dry-run");
    expect(counted).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Would delete 3 events, 0 dead/),
    });
    expect(await idsIn(store)).toHaveLength(5);
    expect(JSON.parse((await maintain("prune", "--json")).stdout)).toMatchObject({
      ...{ dry_run: false, rows: expect.any(Number), by: expect.stringContaining("the gateway at http://") },
    });
    expect(await idsIn(store)).toEqual(["waits", "dead"]);
    expect(await actionsIn(store)).toEqual(["store.checked", "store.vacuumed", "store.pruned"]);
  });

  it("moves what is over into an archive, which is whole, and leaves what waits and what may be replayed", async () => {
    const { maintain, store } = await aGateway();
    const to = emptyFolder();
    expect(await maintain("archive", "--to", to, "--dry-run")).toMatchObject({
      ...{ code: 0, stdout: "Would archive 3 events.\n" },
    });
    expect(readdirSync(to)).toEqual([]);
    expect(await maintain("archive", "--to", to)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--yes"),
    });
    const made = await maintain("archive", "--to", to, "--yes", "--json");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const { path, archived, removed } = JSON.parse(made.stdout);
    expect({ archived, removed }).toEqual({ archived: 3, removed: 3 });
    expect(await idsIn(store)).toEqual(["waits", "dead"]);
    expect(linesIn(path).map(({ id, text }) => [id, text])).toEqual(
      ["m2", "answered", "m1"].map((id) => [id, "line\u2028separator"]),
    );
    expect(await verifyArchive(path)).toMatchObject({ kind: "events", events: { total: 3, dead: 0 } });
    expect((await call(["backup", "verify", path])).code).toBe(0);
    const dead = await maintain("archive", "--to", to, "--dead", "--yes");
    expect(dead.stdout).toContain("1 events archived, 1 removed");
    expect(await idsIn(store)).toEqual(["waits"]);
    expect(await actionsIn(store)).toEqual(["events.removed", "events.removed"]);
  });

  it("deletes nothing where the archive cannot be written, and nothing that is too young", async () => {
    const { maintain, store, clock } = await aGateway();
    const file = join(emptyFolder(), "a-file");
    writeFileSync(file, "");
    expect((await maintain("archive", "--to", file, "--yes")).code).toBe(1);
    expect(await idsIn(store)).toHaveLength(5);
    clock.advance(Date.now() - clock.nowMs());
    await store.inbox.accept(anOffer(anEvent({ id: "young", conversation: "c9" })));
    const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 60_000, controlOnly: false });
    await store.queue.settle(job as Job, { kind: "dropped", cause: "x" });
    const made = await maintain("archive", "--to", emptyFolder(), "--yes");
    expect(made.stdout).toContain("3 events archived, 3 removed");
    expect(await maintain("archive", "--to", file, "--older-than", "0")).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining("whole number of days from 1, got 0") },
    });
  });

  it("makes no archive where there is nothing for one, and asks nobody", async () => {
    const { maintain } = await aGateway();
    const to = join(emptyFolder(), "archives");
    const made = await maintain("archive", "--to", to, "--older-than", "99999", "--json");
    expect(made.code).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ path: null, archived: 0, removed: 0 });
    expect(existsSync(to)).toBe(false);
  });

  it("removes archives of events that are past their time, and no other, and never the newest", async () => {
    const { maintain } = await aGateway();
    const to = emptyFolder();
    const archive = (...args: string[]) => maintain("archive", "--to", to, "--yes", "--json", ...args);
    const age = (path: string, days: number, kind?: string) => {
      const file = join(path, "manifest.json");
      const manifest = JSON.parse(readFileSync(file, "utf8"));
      const created_at = new Date(Date.now() - days * 86_400_000).toISOString();
      writeFileSync(file, JSON.stringify({ ...manifest, created_at, ...(kind && { kind }) }));
    };
    const first = JSON.parse((await archive()).stdout).path;
    age(first, 91);
    cpSync(first, join(to, "parley-20250101T000000000Z"), { recursive: true });
    age(join(to, "parley-20250101T000000000Z"), 300, "full");
    // The only one of its kind stays, however old.
    expect(JSON.parse((await archive("--keep-days", "90")).stdout)).toMatchObject({
      path: null,
      expired: [],
    });
    const second = JSON.parse((await archive("--dead", "--keep-days", "90")).stdout);
    expect(second).toMatchObject({ archived: 1, expired: [basename(first)] });
    expect(readdirSync(to).sort()).toEqual(["parley-20250101T000000000Z", basename(second.path)].sort());
    expect(await archive("--keep-days", "0")).toMatchObject({
      ...{
        code: 2,
        stderr: expect.stringContaining("expected --keep-days to be a whole number of days from 1"),
      },
    });
  });

  it("an archive of events is no backup that could be restored", async () => {
    const { maintain } = await aGateway();
    const { path } = JSON.parse((await maintain("archive", "--to", emptyFolder(), "--yes", "--json")).stdout);
    const env = { PARLEY_DATA_DIR: emptyFolder() };
    const asked: string[] = [];
    const confirm = async (question: string) => asked.push(question) < 0;
    expect(await call(["restore", path], { env, confirm })).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining("nothing was restored") },
    });
    expect(asked).toEqual([expect.stringContaining(`Put ${path} in the place of what is in `)]);
    expect(await call(["restore", path, "--yes"], { env, confirm })).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining("got an archive of finished events") },
    });
  });
});

describe("where no gateway runs", () => {
  async function aDatabase() {
    const dataDir = emptyFolder();
    const file = join(dataDir, "parley.db");
    const open = () => openInlineStore({ file, clock: new FakeClock(OLD_MS), limits: LIMITS });
    const store = await open();
    await fill(store);
    await store[Symbol.asyncDispose]();
    const env = { PARLEY_DATA_DIR: dataDir };
    return { file, open, maintain: (...args: readonly string[]) => call(["maintain", ...args], { env }) };
  }

  it("it is done here, and the audit has it", async () => {
    const { maintain, open } = await aDatabase();
    expect(await maintain("check")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Whole: 5 events/),
    });
    expect(await maintain("vacuum")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("given back"),
    });
    const to = emptyFolder();
    const made = await maintain("archive", "--to", to, "--yes");
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining("3 events archived, 3 removed") });
    expect((await maintain("prune", "--dry-run")).stdout).toMatch(/^Would delete 0 events, 1 dead letters/);
    expect((await maintain("prune")).code).toBe(0);
    await using store = await open();
    expect(await idsIn(store)).toEqual(["waits"]);
    expect(await actionsIn(store)).toEqual(["store.vacuumed", "events.removed", "store.pruned"]);
  });

  it("a damaged file is an end with 1, and the lines say what is wrong", async () => {
    const { maintain, file } = await aDatabase();
    const fd = openSync(file, "r+");
    writeSync(fd, Buffer.alloc(4_096, 0xff), 0, 4_096, 3 * 4_096);
    closeSync(fd);
    const found = await maintain("check", "--json");
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout)).toMatchObject({ whole: false });
    expect((await maintain("check")).stdout).toMatch(/^Damaged:\n {2}parley\.db: .+\n/);
  });

  it("no database is said to be none, and one that is in use is left to who uses it", async () => {
    const none = await call(["maintain", "check"], { env: { PARLEY_DATA_DIR: emptyFolder() } });
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/expected a database in .*, got none/),
    });
    const { maintain, open } = await aDatabase();
    await using _used = await open();
    expect(await maintain("prune")).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining("PARLEY_ADMIN_TOKEN") },
    });
  });
});

it("of Redis, without a gateway: reads it through, says that there is nothing to make smaller, and archives", async () => {
  await using redis = await startRedis();
  const clock = new FakeClock(OLD_MS);
  const opened = await openOn(
    connectionTo(redis.url),
    { clock, limits: LIMITS },
    { prefix: "parley", owner: "o" },
  );
  await fill(opened.store);
  const env = { REDIS_URL: redis.url, PARLEY_DATA_DIR: emptyFolder(), PARLEY_PORT: "9" };
  const maintain = async (...args: readonly string[]) => await call(["maintain", ...args], { env });
  expect(await maintain("check")).toMatchObject({
    ...{ code: 0, stderr: "", stdout: expect.stringMatching(/^Whole: 5 events/) },
  });
  expect((await maintain("vacuum")).stdout).toContain("There is nothing to do");
  const { path } = JSON.parse((await maintain("archive", "--to", emptyFolder(), "--yes", "--json")).stdout);
  expect(linesIn(path).map(({ id }) => id)).toEqual(["m2", "answered", "m1"]);
  expect((await maintain("prune", "--dry-run")).stdout).toMatch(/^Would delete 0 events, 1 dead letters/);
  expect((await maintain("prune")).code).toBe(0);
  expect(await idsIn(opened.store)).toEqual(["waits"]);
  await redis.cli("DEL", `{parley}:e:${(await opened.store.journal.find("waits"))?.seq}`);
  const damaged = await maintain("check");
  expect(damaged).toMatchObject({ code: 1, stdout: expect.stringContaining("has no record") });
  expect(await actionsIn(opened.store)).toEqual([
    ...["store.checked", "events.removed", "store.pruned", "store.checked"],
  ]);
  await opened.store[Symbol.asyncDispose]();
});
