import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { messageOf } from "../../src/shared/fault.ts";
import { openDatabase } from "../../src/store/sqlite/database.ts";
import { migrate } from "../../src/store/sqlite/migrations.ts";
import { Scrubber } from "../../src/store/sqlite/scrubber.ts";
import { seeded } from "../support/seeded.ts";
import { aFolder } from "./folder.ts";

const ROUNDS = 900;
const GONE = "qqGONEqq";

let folder: ReturnType<typeof aFolder>;
let file: string;
beforeEach(() => {
  folder = aFolder("memory");
  file = join(folder.path, "parley.db");
  writeFileSync(file, "");
});
afterEach(() => folder.remove());

/** Rows of all sizes, written, written over and deleted; those with the mark are deleted in the end. */
function fill(seed: number): void {
  const below = seeded(seed);
  const random = () => below(1_000_000) / 1_000_000;
  const db = openDatabase(file, "process");
  migrate(db, file);
  const words = (mark: string) => mark.repeat(1 + Math.floor(random() ** 4 * 2_500));
  const anySeq = () => 1 + Math.floor(random() * ROUNDS);
  db.exec("BEGIN");
  for (let seq = 1; seq <= ROUNDS; seq++) {
    const mark = random() < 0.5 ? GONE : "stays ";
    db.prepare("INSERT INTO events (seq, id, accepted_ms, body) VALUES (?, ?, 0, ?)").run(
      seq,
      `${mark}${seq}`,
      words(mark),
    );
    db.prepare("INSERT INTO progress (seq, body) VALUES (?, ?)").run(seq, words(mark));
    db.prepare("INSERT INTO turns (conversation, seq, position, at_ms, body) VALUES (?, ?, 0, 0, ?)").run(
      `${mark}${anySeq()}`,
      seq,
      words(mark),
    );
    db.prepare("INSERT OR REPLACE INTO vault (name, value) VALUES (?, ?)").run(
      `${mark}${anySeq()}`,
      words(mark),
    );
    // What was there before, and is written over, leaves its copies, too.
    db.prepare("UPDATE progress SET body = ? WHERE seq = ? AND body LIKE 'stays%'").run(
      words("stays "),
      anySeq(),
    );
    if (random() < 0.3) db.prepare("DELETE FROM vault WHERE name = ?").run(`stays ${anySeq()}`);
  }
  const like = `%${GONE}%`;
  db.prepare("DELETE FROM events WHERE body LIKE ?").run(like);
  db.prepare("DELETE FROM progress WHERE body LIKE ?").run(like);
  db.prepare("DELETE FROM turns WHERE body LIKE ?").run(like);
  db.prepare("DELETE FROM vault WHERE value LIKE ?").run(like);
  db.exec("COMMIT");
  db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all();
  db.close();
}

const TABLES = ["events", "progress", "turns", "vault"];

function contents(): unknown {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    expect(db.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    return TABLES.map((table) => db.prepare(`SELECT * FROM ${table}`).all());
  } finally {
    db.close();
  }
}

it.each([1, 2, 3])("leaves no byte of what was deleted, and all that was not (seed %i)", (seed) => {
  fill(seed);
  const before = contents();
  expect(readFileSync(file).includes(GONE)).toBe(true);
  const scrubber = new Scrubber(file);
  let bites = 0;
  for (let upTo = scrubber.bite(null); upTo !== 0; upTo = scrubber.bite(upTo)) bites++;
  scrubber.close();
  expect(bites).toBeGreaterThan(0);
  expect(readFileSync(file).includes(GONE)).toBe(false);
  // Not of single letters either, but for up to three, which SQLite counts as fragments.
  expect(readFileSync(file).includes("GONE")).toBe(false);
  expect(contents()).toEqual(before);
});

/** All of it; gives what stopped that. */
function scrubAll(scrubber: Scrubber): string | null {
  try {
    for (let upTo = scrubber.bite(null); upTo !== 0; ) upTo = scrubber.bite(upTo);
    return null;
  } catch (error) {
    return messageOf(error);
  } finally {
    scrubber.close();
  }
}

it("touches no file that has the name of its own by now, which may be that of another process", () => {
  fill(5);
  const scrubber = new Scrubber(file);
  renameSync(file, `${file}.moved`);
  copyFileSync(`${file}.moved`, file);
  const before = readFileSync(file);
  expect(scrubAll(scrubber)).toBe("another file has its name");
  expect(readFileSync(file).equals(before)).toBe(true);
});

describe("a page that is damaged", () => {
  const PAGE = 4_096;
  const header = (page: number) => (page - 1) * PAGE + (page === 1 ? 100 : 0);
  /** The last leaf of a table with a free place in it. */
  function leafIn(bytes: Buffer): number {
    for (let page = bytes.length / PAGE; page > 1; page--) {
      const at = header(page);
      if (bytes[at] === 13 && bytes.readUInt16BE(at + 1) > 0 && bytes.readUInt16BE(at + 3) > 1) return page;
    }
    throw new Error("Expected a leaf with a free place");
  }

  it.each([
    [
      "whose list of free places goes round",
      (bytes: Buffer, at: number, start: number) => {
        const free = bytes.readUInt16BE(at + 1);
        bytes.writeUInt16BE(free, start + free);
      },
      "free places",
    ],
    [
      "whose free place is longer than it",
      (bytes: Buffer, at: number, start: number) =>
        bytes.writeUInt16BE(PAGE, start + bytes.readUInt16BE(at + 1) + 2),
      "free places",
    ],
    [
      "that says its cells begin behind it",
      (bytes: Buffer, at: number) => bytes.writeUInt16BE(0, at + 5),
      "its cells",
    ],
    ["of an unknown kind", (bytes: Buffer, at: number) => bytes.writeUInt8(99, at), "the kind 99"],
  ])("%s is named, and left as it is", (_what, damage, words) => {
    fill(6);
    const bytes = readFileSync(file);
    const page = leafIn(bytes);
    damage(bytes, header(page), (page - 1) * PAGE);
    writeFileSync(file, bytes);
    expect(scrubAll(new Scrubber(file))).toMatch(new RegExp(`^its page ${page}: .*${words}`));
    const after = readFileSync(file);
    const place = [(page - 1) * PAGE, page * PAGE] as const;
    expect(after.subarray(...place).equals(bytes.subarray(...place))).toBe(true);
  });
});

it("leaves room that can be used again", () => {
  fill(4);
  const scrubber = new Scrubber(file);
  for (let upTo = scrubber.bite(null); upTo !== 0; ) upTo = scrubber.bite(upTo);
  scrubber.close();
  const db = new DatabaseSync(file);
  db.exec("BEGIN");
  for (let n = 0; n < 2_000; n++)
    db.prepare("INSERT INTO vault (name, value) VALUES (?, ?)").run(`new ${n}`, "x".repeat(n));
  db.exec("COMMIT; PRAGMA incremental_vacuum; VACUUM");
  db.close();
  expect(contents()).toBeTruthy();
});
