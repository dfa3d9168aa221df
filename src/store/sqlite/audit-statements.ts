import type { Database } from "./database.ts";

interface Row {
  readonly seq: number;
  readonly hash: string;
  readonly body: string;
}

/** No number of ours is larger; one that somebody else has written could not be read. */
const SEQ_MAX = Number.MAX_SAFE_INTEGER;

export function prepareAuditStatements(db: Database) {
  return {
    audit: db.prepare<Row>("SELECT seq, hash, body FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?"),
    auditEnd: db.prepare<Omit<Row, "body">>(
      `SELECT seq, hash FROM audit_ends WHERE name = ? AND seq BETWEEN 0 AND ${SEQ_MAX}`,
    ),
    newestAudit: db.prepare<Row>(
      `SELECT seq, hash, body FROM audit WHERE seq < ${SEQ_MAX} ORDER BY seq DESC LIMIT 1`,
    ),
    auditRow: db.prepare<Row>("SELECT seq, hash, body FROM audit WHERE seq = ?"),
    addAudit: db.prepare("INSERT INTO audit (seq, hash, body) VALUES (?, ?, ?)"),
    setAuditEnd: db.prepare("INSERT OR REPLACE INTO audit_ends (name, seq, hash) VALUES (?, ?, ?)"),
    pruneAudit: db.prepare("DELETE FROM audit WHERE seq <= ?"),
  };
}
