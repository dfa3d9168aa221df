import type { Database } from "./database.ts";

export function prepareVaultStatements(db: Database) {
  return {
    kept: db.prepare<{ value: string }>("SELECT value FROM vault WHERE name = ?"),
    keep: db.prepare("INSERT OR REPLACE INTO vault (name, value) VALUES (?, ?)"),
    unkeep: db.prepare("DELETE FROM vault WHERE name = ?"),
    listKept: db.prepare<{ name: string; value: string }>(
      "SELECT name, value FROM vault WHERE name >= ? AND name > ? AND name < ? || char(1114111) ORDER BY name LIMIT ?",
    ),
  };
}
