import { copyFileSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lookInto } from "../../src/backup/verify.ts";
import { type OwnStore, openSqliteStore } from "../../src/store/sqlite/index.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { eventually } from "../support/eventually.ts";
import { anOffer } from "../support/store.ts";
import { aFolder } from "./folder.ts";

let folder: ReturnType<typeof aFolder>;
let file: string;
let store: OwnStore;
beforeEach(async () => {
  folder = aFolder();
  file = join(folder.path, "parley.db");
  store = await openSqliteStore({
    file,
    clock: new FakeClock(),
    limits: { waitingPerLaneMax: 1_000, waitingMax: 10_000 },
  });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  folder.remove();
});

const HOUR_MS = 3_600_000;

async function accept(from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n++)
    await store.inbox.accept(anOffer(anEvent({ id: `test:${n}`, text: "x".repeat(500) })));
}

/** As another process would copy it. In this one, closing a second handle gives the lock of the first away. */
function copyOf(): string {
  const copy = join(folder.path, "copy.db");
  copyFileSync(file, copy);
  return copy;
}

it("is as it was when it was held, while more is accepted; what came before is in it", async () => {
  await accept(0, 5);
  const { bytes, identity } = (await store.still.hold(HOUR_MS)) ?? {};
  const { dev, ino, size } = statSync(file);
  expect({ bytes, identity }).toEqual({ bytes: size, identity: `${dev}:${ino}` });
  const before = readFileSync(file);
  await accept(5, 300);
  expect(await store.still.extend(HOUR_MS)).toBe(true);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(lookInto(copyOf()).events).toEqual({ total: 5, waiting: 5, dead: 0 });
  expect(await store.still.release()).toBe(true);
  expect((await store.still.hold(HOUR_MS))?.bytes).toBeGreaterThan(before.length);
  expect(lookInto(copyOf()).events.total).toBe(305);
});

it("is held by one at a time, who loses nothing by another's asking", async () => {
  expect(await store.still.hold(HOUR_MS)).not.toBeNull();
  expect(await store.still.hold(1)).toBeNull();
  expect(await store.still.release()).toBe(true);
  expect(await store.still.release()).toBe(false);
  expect(await store.still.extend(HOUR_MS)).toBe(false);
});

it("is let go when the time is over, and whoever copies hears of it", async () => {
  expect(await store.still.hold(1)).not.toBeNull();
  await eventually(async () => expect(await store.still.hold(HOUR_MS)).not.toBeNull(), 10_000);
  expect(await store.still.release()).toBe(true);
});

it("is not still any more when it had to be opened again", async () => {
  await accept(0, 1);
  expect(await store.still.hold(HOUR_MS)).not.toBeNull();
  // The log loses its name: what it holds is brought into the file.
  renameSync(`${file}-wal`, `${file}-gone`);
  writeFileSync(`${file}-wal`, "");
  await accept(1, 3);
  expect(await store.still.release()).toBe(false);
});

it("holds nothing once it is closed", async () => {
  await store[Symbol.asyncDispose]();
  expect(await store.still.hold(HOUR_MS)).toBeNull();
});
