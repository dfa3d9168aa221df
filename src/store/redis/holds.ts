import { type Holds, RELEASED_TOPIC } from "../../ports/holds.ts";
import type { Notes } from "../../ports/notes.ts";
import { boundedNote } from "../bounded-note.ts";
import { wellFormed } from "../well-formed.ts";
import type { Parts } from "./parts.ts";

export function createHolds({ run, now, owner }: Parts): Holds {
  return {
    async hold(name, ttlMs) {
      const args = ["take", wellFormed(name), owner, Math.ceil(ttlMs)];
      const token = (await run("hold", [now(), ...args], "brief")) as string;
      return token === "" ? null : { name, token: Number(token) };
    },
    async renew({ name, token }, ttlMs) {
      const args = ["renew", wellFormed(name), token, Math.ceil(ttlMs)];
      return (await run("hold", [now(), ...args], "brief")) === 1;
    },
    async release({ name, token }) {
      await run("hold", [now(), "release", wellFormed(name), token, RELEASED_TOPIC], "brief");
    },
  };
}

export function createNotes({ run, now }: Parts): Notes {
  return {
    async get(name) {
      const [value] = (await run("get_note", [now(), wellFormed(name)], "brief")) as [string?];
      return value ?? null;
    },
    async put(name, value, held) {
      const args = [wellFormed(name), boundedNote(value), wellFormed(held.name), held.token];
      return (await run("put_note", [now(), ...args], "brief")) === 1;
    },
  };
}
