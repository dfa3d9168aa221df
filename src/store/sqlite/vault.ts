import type { Vault } from "../../ports/vault.ts";
import { boundedValue } from "../bounded-note.ts";
import { wellFormed } from "../well-formed.ts";
import type { Ask, Operations } from "./protocol.ts";
import type { State } from "./state.ts";

export function getKept({ sql }: State, name: string): string | null {
  return sql.kept.get(name)?.value ?? null;
}

/** Null for the value: it is removed. Undefined cannot cross to the thread, so `was` comes in a list of one or none. */
export function putKept({ sql }: State, [name, value, was]: Operations["putKept"]["args"]): boolean {
  const now = sql.kept.get(name)?.value ?? null;
  const isExpected = was.length === 0 || was[0] === now || (value !== null && value === now);
  if (!isExpected || (value === null && now === null)) return false;
  if (value === null) sql.unkeep.run(name);
  else sql.keep.run(name, value);
  return true;
}

export function listKept(
  { sql }: State,
  { prefix, after = "", limit }: Operations["listKept"]["args"],
): Operations["listKept"]["result"] {
  return sql.listKept.all(prefix, after, prefix, limit).map(({ name, value }) => ({ name, value }));
}

export function createVault(ask: Ask): Vault {
  return {
    get: async (name) => await ask("getKept", wellFormed(name)),
    put: async (name, value, was) =>
      await ask("putKept", [wellFormed(name), boundedValue(value), was === undefined ? [] : [was]]),
    remove: async (name, was) =>
      await ask("putKept", [wellFormed(name), null, was === undefined ? [] : [was]]),
    list: async ({ prefix, after, limit }) =>
      await ask("listKept", {
        prefix: wellFormed(prefix),
        ...(after !== undefined && { after: wellFormed(after) }),
        limit,
      }),
  };
}
