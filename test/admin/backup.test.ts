import { expect, it } from "vitest";
import { createBackups } from "../../src/admin/backup.ts";
import { openAdmin } from "../support/admin.ts";
import { FakeClock } from "../support/clock.ts";

/** A file that is held by whoever asks first. */
function aFile() {
  const file = { isHeld: false };
  const still = {
    path: "/data/parley.db",
    async hold() {
      if (file.isHeld) return null;
      file.isHeld = true;
      return { bytes: 4096, identity: "1:2" };
    },
    extend: async () => file.isHeld,
    async release() {
      const wasHeld = file.isHeld;
      file.isHeld = false;
      return wasHeld;
    },
  };
  return { file, backups: createBackups({ still, clock: new FakeClock() }) };
}

const idOf = (body: object) => (body as { id: string }).id;

it("a process without a file of its own says so", async () => {
  const { ask } = await openAdmin();
  expect((await ask("/backup", { method: "POST" })).status).toBe(409);
  for (const method of ["PUT", "DELETE"]) expect((await ask("/backup/bak_1", { method })).status).toBe(404);
});

it("one copy at a time; whoever knows its id goes on with it and ends it, and nobody else", async () => {
  const { backups } = aFile();
  const first = await backups.start();
  expect(first).toMatchObject({
    status: 200,
    body: { path: "/data/parley.db", bytes: 4096, identity: "1:2", for_seconds: 60 },
  });
  const id = idOf(first.body);
  expect((await backups.start()).status).toBe(409);
  expect((await backups.end("bak_another")).status).toBe(404);
  expect(await backups.extend(id)).toEqual({ status: 200, body: { id, still: true } });
  expect(await backups.end(id)).toEqual({ status: 200, body: { id, still: true } });
  expect((await backups.end(id)).status).toBe(404);
  expect(idOf((await backups.start()).body)).not.toBe(id);
});

it("whoever comes back too late hears that the file has changed", async () => {
  const { backups, file } = aFile();
  const id = idOf((await backups.start()).body);
  file.isHeld = false;
  expect(await backups.extend(id)).toEqual({ status: 200, body: { id, still: false } });
  expect(await backups.end(id)).toEqual({ status: 200, body: { id, still: false } });
});
