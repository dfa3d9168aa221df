import { createHash } from "node:crypto";
import { NOTES_PER_BOOK_MAX, VAULT_CHARS_MAX } from "../domain/bounds.ts";
import type { LongNote, Notebook, Notebooks } from "../ports/notebooks.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getArray, getObject, getString, parseJsonObject } from "../shared/json.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf, namePart } from "./vault-entries.ts";

const PREFIX = `${PLAIN}notebook/`;
/** Others write in the same book; each try finds what they have written. */
const TRIES_MAX = 20;

/** One entry of the vault for each owner and agent, those of an owner side by side. */
export function createNotebooks(vault: Vault): Notebooks {
  /** Nothing that others write meanwhile is lost. `change` gives null where nothing is to change. */
  async function changed<T>(
    name: string,
    change: (notes: readonly LongNote[]) => { readonly to: readonly LongNote[] | null; readonly gives: T },
  ): Promise<T> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const was = await vault.get(name);
      const { to, gives } = change(notesIn(was));
      if (to === null) return gives;
      const isDone =
        to.length > 0 || was === null
          ? await vault.put(name, textOf(to), was)
          : await vault.remove(name, was);
      if (isDone) return gives;
    }
    throw new Error(`Expected to write notes within ${TRIES_MAX} tries, others were faster each time`);
  }

  return {
    read: async (owner, agent) => notesIn(await vault.get(nameOf(owner, agent))),
    write(owner, agent, { text, atMs, by }) {
      const words = text.toWellFormed();
      const note: LongNote = { id: idOf(words), text: words, atMs, by };
      return changed(nameOf(owner, agent), (notes) => {
        if (notes.some(({ id }) => id === note.id)) return { to: null, gives: "known" as const };
        const to = [...notes, note];
        const isFull = to.length > NOTES_PER_BOOK_MAX || textOf(to).length > VAULT_CHARS_MAX;
        return isFull ? { to: null, gives: "full" as const } : { to, gives: "written" as const };
      });
    },
    async erase(owner, { agent, note }) {
      let gone = 0;
      for await (const { name } of entriesOf(
        vault,
        agent === undefined ? bookshelf(owner) : nameOf(owner, agent),
      )) {
        gone += await changed(name, (notes) => {
          const left = notes.filter((one) => note !== undefined && one.id !== note && one.text !== note);
          return { to: left.length < notes.length ? left : null, gives: notes.length - left.length };
        });
      }
      return gone;
    },
    async list({ ownerPrefix, after, limit }) {
      const books: Notebook[] = [];
      const from = after && nameOf(after.owner, after.agent);
      for await (const { name, value } of entriesOf(vault, `${PREFIX}${namePart(ownerPrefix)}`, from)) {
        const [owner = "", agent = ""] = name.slice(PREFIX.length).split("/").map(decodeURIComponent);
        const notes = notesIn(value);
        if (notes.length > 0) books.push({ owner, agent, notes });
        if (books.length >= limit) break;
      }
      return books;
    },
  };
}

function bookshelf(owner: string): string {
  return `${PREFIX}${namePart(owner)}/`;
}

/** With its end, so that no name is the beginning of another. */
function nameOf(owner: string, agent: string): string {
  return `${bookshelf(owner)}${namePart(agent)}/`;
}

function textOf(notes: readonly LongNote[]): string {
  return JSON.stringify({ notes });
}

function idOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function notesIn(value: string | null): readonly LongNote[] {
  if (value === null) return [];
  const parsed = parseJsonObject(value);
  return (parsed.ok ? getArray(parsed.value, "notes") : []).flatMap((one: unknown) => {
    const [id, text] = ["id", "text"].map((name) => getString(one, name));
    const atMs = get(one, "atMs");
    const by = getObject(one, "by");
    const [byId = "", name = ""] = ["id", "name"].map((key) => getString(by, key));
    if (id === undefined || text === undefined || typeof atMs !== "number") return [];
    return [{ id, text, atMs, by: { id: byId, name } }];
  });
}
