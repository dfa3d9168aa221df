import type { Vault } from "../../ports/vault.ts";
import { boundedValue } from "../bounded-note.ts";
import { wellFormed } from "../well-formed.ts";
import type { Parts } from "./parts.ts";

export function createVault({ run, now }: Parts): Vault {
  const change = async (act: "put" | "remove", name: string, value: string, was?: string | null) => {
    const expected = was === undefined ? [] : was === null ? ["none"] : ["was", was];
    return (await run("keep", [now(), act, wellFormed(name), value, ...expected], "long")) === 1;
  };
  return {
    async get(name) {
      const [value] = (await run("kept", [now(), wellFormed(name)], "brief")) as [string?];
      return value ?? null;
    },
    put: (name, value, was) => change("put", name, boundedValue(value), was),
    remove: (name, was) => change("remove", name, "", was),
    async list({ prefix, after, limit }) {
      const from =
        after !== undefined && after >= prefix ? `(${wellFormed(after)}` : `[${wellFormed(prefix)}`;
      const rows = await run("list_kept", [now(), from, wellFormed(prefix), limit], "brief");
      return (rows as [string, string][]).map(([name, value]) => ({ name, value }));
    },
  };
}
