import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Bite, Kept, Records, Shelf } from "../../ports/records.ts";
import { wellFormed } from "../well-formed.ts";
import type { Database } from "./database.ts";
import type { Ask, Operations } from "./protocol.ts";
import type { State } from "./state.ts";
import { deleteEvent } from "./sweep.ts";

/** Rows looked at in one bite: some milliseconds, so that accepting goes on between two. */
const BITE_ROWS = 250;

/** How a shelf is read and written, by the key of its rows; `b` is a second text. */
interface Table {
  readonly key: string;
  readonly from: string;
  readonly a: string;
  readonly b?: string;
  readonly isNumbered?: boolean;
}

const TABLES: Readonly<Record<Exclude<Shelf, "limits">, Table>> = {
  events: {
    key: "e.seq",
    from: "events e LEFT JOIN progress p USING (seq)",
    a: "e.body",
    b: "p.body",
    isNumbered: true,
  },
  turns: { key: "rowid", from: "turns", a: "body", isNumbered: true },
  people: { key: "lasting", from: "people", a: "coalesce(passing, '') || ' ' || conversation" },
  told: { key: "key", from: "told", a: "''" },
  vault: { key: "name", from: "vault", a: "value" },
  notes: { key: "name", from: "notes", a: "value" },
  requests: { key: "id", from: "requests", a: "body" },
  spending: { key: "day || ' ' || scope", from: "spending", a: "''" },
  held: { key: "day || ' ' || id", from: "money_holds", a: "scopes" },
  conversations: { key: "conversation", from: "conversations", a: "''" },
};

interface Row {
  readonly key: string | number;
  readonly a: string;
  readonly b: string | null;
  readonly state: string | null;
  readonly conversation: string | null;
  readonly seq: number | null;
}

export function searchRecords(
  { db }: State,
  { shelf, words, after }: Operations["searchRecords"]["args"],
): Bite {
  // Limits are in memory alone.
  if (shelf === "limits") return { found: [], next: null };
  const table = TABLES[shelf];
  const { key, from, a, b = "NULL", isNumbered = false } = table;
  const more = {
    events: ", e.state AS state, NULL AS conversation, NULL AS seq",
    turns: ", NULL AS state, conversation, seq",
  };
  const columns = more[shelf as keyof typeof more] ?? ", NULL AS state, NULL AS conversation, NULL AS seq";
  const rows = db
    .prepare<Row>(
      `SELECT ${key} AS key, ${a} AS a, ${b} AS b${columns} FROM ${from} WHERE ${key} > ? ORDER BY ${key} LIMIT ?`,
    )
    .all(isNumbered ? Number(after ?? 0) : (after ?? ""), BITE_ROWS);
  const found = rows.flatMap((row) => {
    const kept = keptOf(shelf, row, table);
    const places = [kept.key, ...kept.texts, kept.turn?.conversation ?? ""];
    return words.some((word) => places.some((place) => place?.includes(word))) ? [kept] : [];
  });
  return { found, next: rows.length < BITE_ROWS ? null : String(rows.at(-1)?.key ?? "") };
}

function keptOf(shelf: Shelf, row: Row, { b }: Table): Kept {
  return {
    shelf,
    key: String(row.key),
    texts: b === undefined ? [row.a] : [row.a, row.b],
    ...(shelf === "events" && { isOver: row.state !== null }),
    ...(row.conversation !== null && { turn: { conversation: row.conversation, seq: String(row.seq) } }),
  };
}

const REPLACE: Partial<Record<Shelf, string>> = {
  events: "UPDATE events SET body = ? WHERE seq = CAST(? AS INTEGER)",
  turns: "UPDATE turns SET body = ? WHERE rowid = CAST(? AS INTEGER)",
  vault: "UPDATE vault SET value = ? WHERE name = ?",
  notes: "UPDATE notes SET value = ? WHERE name = ?",
  held: "UPDATE money_holds SET scopes = ? WHERE day || ' ' || id = ?",
};
const REMOVE: Readonly<Record<Exclude<Shelf, "events" | "limits">, string>> = {
  turns: "DELETE FROM turns WHERE rowid = CAST(? AS INTEGER)",
  people: "DELETE FROM people WHERE lasting = ?",
  told: "DELETE FROM told WHERE key = ?",
  vault: "DELETE FROM vault WHERE name = ?",
  notes: "DELETE FROM notes WHERE name = ?",
  requests: "DELETE FROM requests WHERE id = ?",
  spending: "DELETE FROM spending WHERE day || ' ' || scope = ?",
  held: "DELETE FROM money_holds WHERE day || ' ' || id = ?",
  conversations: "DELETE FROM conversations WHERE conversation = ?",
};

export function replaceRecord(
  state: State,
  [kept, texts]: Operations["replaceRecord"]["args"],
  nowMs: number,
): boolean {
  const { db } = state;
  if (kept.shelf === "limits" || !isAsItWas(db, kept)) return false;
  if (texts !== null) {
    const sql = REPLACE[kept.shelf];
    if (sql === undefined) return false;
    db.prepare(sql).run(texts[0] ?? "", kept.key);
    if (kept.texts[1] != null)
      db.prepare("UPDATE progress SET body = ? WHERE seq = CAST(? AS INTEGER)").run(
        texts[1] ?? kept.texts[1],
        kept.key,
      );
    return true;
  }
  if (kept.shelf === "events") return removeEvent(state, kept, nowMs);
  if (kept.shelf === "requests") state.requestCounts = null;
  return Number(db.prepare(REMOVE[kept.shelf]).run(kept.key).changes) > 0;
}

function isAsItWas(db: Database, { shelf, key, texts }: Kept): boolean {
  const { key: name, from, a, b = "NULL", isNumbered } = TABLES[shelf as keyof typeof TABLES];
  const row = db
    .prepare<Row>(`SELECT ${a} AS a, ${b} AS b FROM ${from} WHERE ${name} = ?`)
    .get(isNumbered ? Number(key) : key);
  return row !== undefined && row.a === texts[0] && row.b === (texts[1] ?? null);
}

/** A seq is never given twice, also when the newest events are gone and the process starts again. */
function removeEvent(state: State, { key }: Kept, nowMs: number): boolean {
  const row = state.sql.settled.get(Number(key));
  if (row === undefined) return false;
  deleteEvent(state, row, nowMs);
  state.sql.setSeqFloor.run(state.nextSeq);
  return true;
}

export function listConversations(
  { db }: State,
  { limit, after }: Operations["listConversations"]["args"],
): Operations["listConversations"]["result"] {
  const [seenMs, last] = after === undefined ? [Number.MAX_SAFE_INTEGER, ""] : placeIn(after);
  const rows = db
    .prepare<{ conversation: string; seen_ms: number; turns: number }>(
      `SELECT conversation, seen_ms, (SELECT count(*) FROM turns t WHERE t.conversation = c.conversation) AS turns
       FROM conversations c WHERE (seen_ms, conversation) < (?, ?) ORDER BY seen_ms DESC, conversation DESC LIMIT ?`,
    )
    .all(seenMs, after === undefined ? "\u{10ffff}" : last, limit);
  const end = rows.at(-1);
  return {
    found: rows.map(({ conversation, seen_ms, turns }) => ({ conversation, seenAtMs: seen_ms, turns })),
    next: rows.length < limit || end === undefined ? null : `${end.seen_ms} ${end.conversation}`,
  };
}

function placeIn(after: string): [number, string] {
  const end = after.indexOf(" ");
  return [Number(after.slice(0, end)), after.slice(end + 1)];
}

const OLD = /^\d+(\.partial)?(-wal|-shm|-journal)?$/;

/** Whole copies of the file, from before it was brought to a newer schema. */
function removeOldCopies(file: string): void {
  const folder = dirname(file);
  const begin = `${basename(file)}.v`;
  for (const name of readdirSync(folder))
    if (name.startsWith(begin) && OLD.test(name.slice(begin.length)))
      rmSync(join(folder, name), { force: true });
}

export function createRecords(
  ask: Ask,
  scrub: (upTo: number | null) => Promise<number | string>,
  file: string,
): Records {
  return {
    search: async ({ shelf, words, after }) =>
      await ask("searchRecords", {
        shelf,
        words: words.map(wellFormed),
        ...(after !== undefined && { after }),
      }),
    replace: async (kept, texts) => await ask("replaceRecord", [kept, texts]),
    conversations: async (page) => await ask("listConversations", page),
    async scrub() {
      for (let upTo: number | null = null; upTo !== 0; ) {
        const next = await scrub(upTo);
        if (typeof next === "string") return [`${file} may still hold what was deleted: ${next}`];
        upTo = next;
      }
      removeOldCopies(file);
      return [];
    },
  };
}
