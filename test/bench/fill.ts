import { DatabaseSync } from "node:sqlite";

/** Each conversation has once been spoken in: its key is still known, its event done, two turns remembered. */
export function fill(file: string, conversations: number): void {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = OFF; BEGIN");
  const seen = db.prepare(
    "INSERT INTO conversations (conversation, known, seen_ms, forgotten_seq) VALUES (?, 1, ?, 0)",
  );
  const key = db.prepare("INSERT INTO keys (key, seq, expires_ms) VALUES (?, ?, ?)");
  const event = db.prepare(
    `INSERT INTO events (seq, id, accepted_ms, state, attempt, updated_ms, body)
     VALUES (?, ?, ?, 'done', 1, ?, '{}')`,
  );
  const now = Date.now();
  for (let i = 0; i < conversations; i++) {
    seen.run(`slack:T1:idle${i}`, now);
    key.run(`slack:T1:idle${i}:1`, i + 1, now + 3_600_000);
    event.run(i + 1, `slack:T1:idle${i}:1`, now, now);
  }
  db.exec("COMMIT");
  db.close();
}
