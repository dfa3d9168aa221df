import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { aNote } from "../contract/store-requests.ts";
import { FakeClock } from "../support/clock.ts";
import { failingDisk } from "./commits.ts";
import { aFolder } from "./folder.ts";

it.each(["lost", "doubted"] as const)(
  "notes of a commit that was %s are counted as the file has them",
  async (fate) => {
    const folder = aFolder("memory");
    const disk = failingDisk();
    const store = await openInlineStore({
      file: join(folder.path, "parley.db"),
      clock: new FakeClock(),
      limits: { waitingPerLaneMax: 10, waitingMax: 100 },
      open: disk.open,
    });
    onTestFinished(async () => {
      await store[Symbol.asyncDispose]();
      folder.remove();
    });
    const bounds = { refusedMax: 10, afterId: "" };
    const notes = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => aNote(from + i, "forged"));
    const count = async () => (await store.requests.list({ outcomes: ["forged"], limit: 100 })).length;

    await store.requests.record(notes(0, 4), bounds);
    disk.trouble[fate === "lost" ? "commitsLost" : "commitsDoubted"] = 1;
    await expect(store.requests.record(notes(4, 8), bounds)).rejects.toMatchObject({
      code: "STORE_WRITE_FAILED",
    });
    await store.requests.record(notes(4, 8), bounds);
    expect(await count()).toBe(8);
    await store.requests.record(notes(8, 10), bounds);
    expect(await count()).toBe(10);
    await store.requests.record(notes(10, 13), bounds);
    expect(await count()).toBe(10);
  },
);
