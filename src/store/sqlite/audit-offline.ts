import type { Deed } from "../../domain/audit.ts";
import { rowBehind } from "../../shared/audit-chain.ts";
import { addRow, readRows } from "./audit.ts";
import { prepareAuditStatements } from "./audit-statements.ts";
import { openDatabase } from "./database.ts";

/** Adds an entry to a file that no gateway has open. One of a version without an audit stays as it is. */
export function appendOffline(file: string, id: string, deed: Deed): void {
  const db = openDatabase(file, "power");
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").get() === undefined) return;
    const sql = prepareAuditStatements(db);
    const { last, newestSeq } = readRows(sql, { limit: 0 });
    const row = rowBehind(last, Math.max(last.seq, newestSeq) + 1, id, deed);
    db.exec("BEGIN IMMEDIATE");
    addRow(sql, { row, after: last });
    db.exec("COMMIT");
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}
