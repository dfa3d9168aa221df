import type { Held, Holds } from "../../ports/holds.ts";
import type { Notes } from "../../ports/notes.ts";
import { boundedNote } from "../bounded-note.ts";
import { wellFormed } from "../well-formed.ts";
import type { Ask } from "./protocol.ts";

/**
 * The file is this process's alone, and so is every hold: memory knows which is the last of a name, and whoever renews
 * one wakes neither the store's thread nor the disk. The file has the tokens, which go on growing in the next process.
 */
export function createElections(ask: Ask): { readonly holds: Holds; readonly notes: Notes } {
  const live = new Map<string, number>();
  const isLive = ({ name, token }: Held) => live.get(name) === token;
  return {
    holds: {
      async hold(name) {
        const token = await ask("hold", wellFormed(name));
        live.set(name, token);
        return { name, token };
      },
      renew: async (held) => isLive(held),
      async release(held) {
        if (isLive(held)) live.delete(held.name);
      },
    },
    notes: {
      get: async (name) => await ask("getNote", wellFormed(name)),
      async put(name, value, held) {
        const row = [wellFormed(name), boundedNote(value)] as const;
        if (!isLive(held)) return false;
        await ask("putNote", row);
        return true;
      },
    },
  };
}
