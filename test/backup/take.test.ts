import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MANIFEST } from "../../src/backup/manifest.ts";
import { removeOld } from "../../src/backup/retention.ts";
import { verifyArchive } from "../../src/backup/verify.ts";
import { aPlace, backUp, DAY_MS, leaveEvents, NOW_MS, openStoreOf } from "./archives.ts";

it("holds the database with its log, the files, and what the gateway reads of the configuration", async () => {
  const place = aPlace();
  await leaveEvents(place);
  writeFileSync(join(place.configFolder, "notes.txt"), "not read");
  const media = join(place.root, "media");
  const [conversation, name] = ["a".repeat(32), "b".repeat(32)];
  mkdirSync(join(media, conversation), { recursive: true });
  writeFileSync(join(media, conversation, name), "a picture");
  mkdirSync(join(media, "incoming"));
  writeFileSync(join(media, "incoming", "half"), "half a picture");
  const { archive, manifest } = await backUp({ ...place, mediaDir: media });
  expect(archive).toBe(join(place.to, "parley-20260301T020000000Z"));
  expect(manifest).toMatchObject({
    kind: "full",
    version: "0.1.0",
    created_at: "2026-03-01T02:00:00.000Z",
    events: { total: 2, waiting: 1, dead: 0 },
    left_out: [],
  });
  expect(manifest.files.map(({ path }) => path)).toEqual([
    "store/parley.db",
    `media/${conversation}/${name}`,
    "config/gateway.yaml",
    "config/agents/assistant.yaml",
  ]);
  expect(await verifyArchive(archive)).toEqual(manifest);
  expect(statSync(archive).mode & 0o777).toBe(0o700);
  for (const { path } of manifest.files) expect(statSync(join(archive, path)).mode & 0o777).toBe(0o600);
});

it("leaves out a spool that was made for a process which then took another", async () => {
  const place = aPlace();
  await leaveEvents(place);
  writeFileSync(join(place.dataDir, "spool-1.db"), "");
  const { manifest } = await backUp(place);
  expect(manifest.files.map(({ path }) => path).filter((path) => path.startsWith("store/"))).toEqual([
    "store/parley.db",
  ]);
});

it("leaves what it copied as it was", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const before = readFileSync(join(place.dataDir, "parley.db"));
  await backUp(place);
  expect(readFileSync(join(place.dataDir, "parley.db")).equals(before)).toBe(true);
});

it("copies the file of a running gateway while that leaves it as it is", async () => {
  const place = aPlace();
  await leaveEvents(place);
  await using store = await openStoreOf(place);
  const { still } = store;
  const running = {
    async hold() {
      const held = await still.hold(60_000);
      if (held === null) throw new Error("Expected it to be held");
      return { ...held, path: still.path };
    },
    extend: () => still.extend(60_000),
    release: () => still.release(),
  };
  const { manifest } = await backUp({ ...place, running });
  expect(manifest.events).toEqual({ total: 2, waiting: 1, dead: 0 });

  const lost = { ...running, release: async () => false };
  await expect(backUp({ ...place, running: lost }, NOW_MS + 1)).rejects.toThrow(
    /to stay as it was while it was copied/,
  );
  await still.release();
  const another = {
    ...running,
    hold: async () => ({ ...(await running.hold()), identity: "1:1", path: "/x" }),
  };
  await expect(backUp({ ...place, running: another }, NOW_MS + 2)).rejects.toThrow(
    /to use .*, got one that uses \/x/,
  );
  // Of what failed nothing is left.
  expect(readdirSync(place.to)).toEqual(["parley-20260301T020000000Z"]);
});

it("is the configuration alone where only that is wanted, and nothing is an error", async () => {
  const place = aPlace({ kind: "configuration" });
  await leaveEvents(place);
  const { archive, manifest } = await backUp(place);
  expect(archive).toContain("parley-config-");
  expect(manifest.files.every(({ path }) => path.startsWith("config/"))).toBe(true);
  rmSync(place.configFolder, { recursive: true });
  await expect(backUp(place, NOW_MS + 1)).rejects.toThrow(/Expected something to back up, got nothing/);
});

it.each<[string, (archive: string) => void, RegExp]>([
  [
    "without its manifest",
    (archive) => rmSync(join(archive, MANIFEST)),
    /a backup with a manifest\.json .* no such file/,
  ],
  [
    "with half a manifest",
    (archive) => writeFileSync(join(archive, MANIFEST), "{"),
    /something else than JSON/,
  ],
  ["of another format", (archive) => editManifest(archive, { format: 2 }), /of format 1 in .*: format/],
  [
    "whose manifest leads out of it",
    (archive) =>
      editManifest(archive, { files: [{ path: "store/../../x", bytes: 0, sha256: "0".repeat(64) }] }),
    /files\.0\.path/,
  ],
  [
    "without one of its files",
    (archive) => rmSync(join(archive, "store/parley.db")),
    /to read .*parley\.db, got .*no such file/,
  ],
  [
    "of which a byte has changed",
    (archive) => {
      const file = join(archive, "config/gateway.yaml");
      const bytes = readFileSync(file);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    },
    /gateway\.yaml to have the sha256/,
  ],
  [
    "of which a file is longer",
    (archive) => writeFileSync(join(archive, "config/gateway.yaml"), "x", { flag: "a" }),
    /gateway\.yaml to have \d+ bytes/,
  ],
  [
    "of which a file is a link",
    (archive) => {
      rmSync(join(archive, "config/gateway.yaml"));
      symlinkSync("/etc/hostname", join(archive, "config/gateway.yaml"));
    },
    /a file at .*gateway\.yaml, got something else/,
  ],
])("an archive %s is refused", async (_, spoil, message) => {
  const place = aPlace();
  await leaveEvents(place);
  const { archive } = await backUp(place);
  spoil(archive);
  await expect(verifyArchive(archive)).rejects.toThrow(message);
});

function editManifest(archive: string, changes: object): void {
  const path = join(archive, MANIFEST);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...changes }));
}

it("a database that is not whole is no backup, and nothing is left of it", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const file = join(place.dataDir, "parley.db");
  const bytes = readFileSync(file);
  bytes.fill(0xff, 8192, 16384);
  writeFileSync(file, bytes);
  await expect(backUp(place)).rejects.toThrow();
  expect(readdirSync(place.to)).toEqual([]);
});

it("old ones of the kind go, but never the newest, nor what is no archive", async () => {
  const place = aPlace();
  await leaveEvents(place);
  const settings = { ...place, kind: "configuration" } as const;
  const at = (days: number) => NOW_MS + days * DAY_MS;
  for (const day of [0, 1, 31]) await backUp(place, at(day));
  await backUp(settings, at(0));
  const stranger = join(place.to, "parley-20200101T000000000Z");
  mkdirSync(stranger);
  expect(await removeOld(place.to, "full", { keepMs: 30 * DAY_MS, nowMs: at(32) })).toEqual([
    "parley-20260302T020000000Z",
    "parley-20260301T020000000Z",
  ]);
  expect(await removeOld(place.to, "full", { keepMs: DAY_MS, nowMs: at(900) })).toEqual([]);
  expect(readdirSync(place.to).sort()).toEqual([
    "parley-20200101T000000000Z",
    "parley-20260401T020000000Z",
    "parley-config-20260301T020000000Z",
  ]);
  expect(existsSync(stranger)).toBe(true);
});
