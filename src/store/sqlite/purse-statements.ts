import type { Database } from "./database.ts";

export interface SpendingRow {
  readonly spent: number;
  readonly held: number;
  readonly warned: number;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
}

/** The money of a day, in millionths of a cent. */
export function preparePurseStatements(db: Database) {
  return {
    moneyHold: db.prepare<{ amount: number; scopes: string; settled: number }>(
      "SELECT amount, scopes, settled FROM money_holds WHERE day = ? AND id = ?",
    ),
    addMoneyHold: db.prepare(
      "INSERT INTO money_holds (day, id, amount, scopes, settled) VALUES (?, ?, ?, ?, 0)",
    ),
    settleMoneyHold: db.prepare("UPDATE money_holds SET settled = 1, scopes = '[]' WHERE day = ? AND id = ?"),
    spending: db.prepare<SpendingRow>(
      `SELECT spent, held, warned, calls, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens
       FROM spending WHERE day = ? AND scope = ?`,
    ),
    holdMoney: db.prepare(
      `INSERT INTO spending (day, scope, held, warned) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (day, scope) DO UPDATE SET held = held + ?3, warned = max(warned, ?4)`,
    ),
    spendMoney: db.prepare(
      `UPDATE spending SET held = held - ?3, spent = spent + ?4, calls = calls + (?4 + ?5 + ?6 + ?7 + ?8 > 0), input_tokens = input_tokens + ?5,
         output_tokens = output_tokens + ?6, cache_read_tokens = cache_read_tokens + ?7,
         cache_write_tokens = cache_write_tokens + ?8
       WHERE day = ?1 AND scope = ?2`,
    ),
    deleteMoneyHolds: db.prepare(
      "DELETE FROM money_holds WHERE (day, id) IN (SELECT day, id FROM money_holds WHERE day < ? ORDER BY day LIMIT ?)",
    ),
    deleteSpending: db.prepare(
      `DELETE FROM spending
       WHERE (day, scope) IN (SELECT day, scope FROM spending WHERE day < ? ORDER BY day LIMIT ?)`,
    ),
  };
}
