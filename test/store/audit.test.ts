import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyAudit } from "../../src/shared/audit-verify.ts";
import { appendAudit } from "../../src/store/audit.ts";
import { openDatabase } from "../../src/store/sqlite/database.ts";
import { createFile } from "../../src/store/sqlite/file.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { MIGRATIONS, migrate } from "../../src/store/sqlite/migrations.ts";
import { aDeed } from "../contract/store-audit.ts";
import { FakeClock } from "../support/clock.ts";
import { aFolder } from "./folder.ts";

/** Of the last that had no audit. */
const VERSION = 12;

let folder: ReturnType<typeof aFolder>;
let file: string;
let clock: FakeClock;
beforeEach(() => {
  folder = aFolder("memory");
  file = join(folder.path, "parley.db");
  clock = new FakeClock();
});
afterEach(() => folder.remove());

let count = 0;
const newId = (prefix: string) => `${prefix}_${++count}`;
const open = () => openInlineStore({ file, clock, limits: { waitingPerLaneMax: 9, waitingMax: 9 } });

async function withStore<T>(use: (store: Awaited<ReturnType<typeof open>>) => Promise<T>): Promise<T> {
  const store = await open();
  try {
    return await use(store);
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

const append = () => withStore(({ audit }) => appendAudit(audit, newId, aDeed()));
const verify = () => withStore(({ audit }) => verifyAudit((page) => audit.read(page)));

function write(sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

describe("the audit in a file", () => {
  it("begins in one of before there was an audit", async () => {
    createFile(file);
    const older = openDatabase(file, "process");
    migrate(older, file, MIGRATIONS.slice(0, VERSION));
    older.exec("INSERT INTO vault (name, value) VALUES ('a', '1')");
    older.close();
    expect(await append()).toMatchObject({ seq: 1, actor: "ann@laptop" });
    expect(await withStore(({ vault }) => vault.get("a"))).toBe("1");
    expect(await verify()).toMatchObject({ entries: 1, fault: null });
  });

  it.each([
    ["a change", "UPDATE audit SET body = replace(body, 'ann', 'eve') WHERE seq = 2", 2],
    ["one that is taken away", "DELETE FROM audit WHERE seq = 2", 2],
    ["the newest taken away", "DELETE FROM audit WHERE seq = 4", 4],
    ["one that is put behind", `INSERT INTO audit SELECT 5, hash, body FROM audit WHERE seq = 4`, 5],
    ["all taken away", "DELETE FROM audit", 1],
    [
      "the beginning moved",
      "DELETE FROM audit WHERE seq < 3; INSERT INTO audit_ends SELECT 'first', 2, '0'",
      1,
    ],
    [
      "the end forgotten, and a change",
      "DELETE FROM audit_ends; UPDATE audit SET body = '{}' WHERE seq = 3",
      3,
    ],
  ])("shows %s, also when the gateway goes on", async (_what, sql, seq) => {
    for (let n = 0; n < 4; n++) await append();
    write(sql);
    expect((await verify()).fault).toMatchObject({ seq });
    await append();
    expect((await verify()).fault).toMatchObject({ seq });
  });

  it.each([
    "INSERT INTO audit VALUES (9223372036854775807, 'x', 'y')",
    "INSERT OR REPLACE INTO audit_ends VALUES ('last', 9223372036854775807, 'x')",
    "INSERT OR REPLACE INTO audit_ends VALUES ('last', -1, '')",
  ])("is written to whatever stands there: %s", async (sql) => {
    await append();
    write(sql);
    await append();
    const { audit } = await open();
    expect((await audit.read({ limit: 5 })).rows.map(({ seq }) => seq)).toEqual([2, 1]);
  });
});
