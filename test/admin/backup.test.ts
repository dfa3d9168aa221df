import { expect, it } from "vitest";
import { createBackups } from "../../src/admin/backup.ts";
import type { FileAnswer, FileQuestion, Siblings } from "../../src/ports/siblings.ts";
import { createNewId } from "../../src/system/ids.ts";
import { openAdmin } from "../support/admin.ts";
import { FakeClock } from "../support/clock.ts";

const newId = createNewId(new FakeClock());

/** A file that is held by whoever asks first. */
function aFile(identity = "1:2", siblings: Siblings | null = null) {
  const file = { isHeld: false };
  const still = {
    path: "/data/parley.db",
    async hold() {
      if (file.isHeld) return null;
      file.isHeld = true;
      return { bytes: 4096, identity };
    },
    extend: async () => file.isHeld,
    async release() {
      const wasHeld = file.isHeld;
      file.isHeld = false;
      return wasHeld;
    },
  };
  return { file, backups: createBackups({ still, siblings, newId }) };
}

/** Two processes under one supervisor, each with a file. */
function two() {
  const answers: ((question: FileQuestion) => Promise<FileAnswer | null>)[] = [];
  const sibling = (other: number): Siblings => ({
    ask: async (question) => (await answers[other]?.(structuredClone(question))) ?? null,
    answerBy: (answer) => void answers.push(answer),
  });
  return { one: aFile("1:2", sibling(1)), other: aFile("1:3", sibling(0)) };
}

const idOf = (body: object) => (body as { id: string }).id;

it("a process without a file of its own says so", async () => {
  const { ask } = await openAdmin();
  expect((await ask("/backup", { method: "POST" })).status).toBe(409);
  for (const method of ["PUT", "DELETE"]) expect((await ask("/backup/bak_1", { method })).status).toBe(404);
});

it("one copy at a time; whoever knows its id goes on with it and ends it, and nobody else", async () => {
  const { backups } = aFile();
  const first = await backups.start(null);
  expect(first).toMatchObject({
    status: 200,
    body: { path: "/data/parley.db", bytes: 4096, identity: "1:2", for_seconds: 60 },
  });
  const id = idOf(first.body);
  expect((await backups.start(null)).status).toBe(409);
  expect((await backups.end("bak_another")).status).toBe(404);
  expect(await backups.extend(id)).toEqual({ status: 200, body: { id, still: true } });
  expect(await backups.end(id)).toEqual({ status: 200, body: { id, still: true } });
  expect((await backups.end(id)).status).toBe(404);
  expect(idOf((await backups.start(null)).body)).not.toBe(id);
});

it("whoever comes back too late hears that the file has changed", async () => {
  const { backups, file } = aFile();
  const id = idOf((await backups.start(null)).body);
  file.isHeld = false;
  expect(await backups.extend(id)).toEqual({ status: 200, body: { id, still: false } });
  expect(await backups.end(id)).toEqual({ status: 200, body: { id, still: false } });
});

it("whichever process is asked, that which has the file holds it, and goes on with it and ends it", async () => {
  const { one, other } = two();
  const held = await one.backups.start("1:3");
  expect(held).toMatchObject({ status: 200, body: { identity: "1:3", bytes: 4096 } });
  expect([one.file.isHeld, other.file.isHeld]).toEqual([false, true]);
  const id = idOf(held.body);
  expect(await other.backups.extend(id)).toEqual({ status: 200, body: { id, still: true } });
  expect(await one.backups.extend(id)).toEqual({ status: 200, body: { id, still: true } });
  expect(await one.backups.end(id)).toEqual({ status: 200, body: { id, still: true } });
  expect(other.file.isHeld).toBe(false);
  expect((await other.backups.end(id)).status).toBe(404);
});

it("a file that none of them has is held by none", async () => {
  const { one, other } = two();
  expect((await one.backups.start("9:9")).status).toBe(404);
  expect([one.file.isHeld, other.file.isHeld]).toEqual([false, false]);
});

it.each(["1:2x", "../../etc", ""])("what is no file by device and number (%j) is refused", async (file) => {
  const { ask } = await openAdmin();
  const answer = await ask(`/backup?file=${encodeURIComponent(file)}`, { method: "POST" });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("such as 2049:1234");
});
