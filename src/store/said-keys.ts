import type { SaidKeys } from "../ports/notices.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getString, parseJsonObject } from "../shared/json.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf, namePart } from "./vault-entries.ts";

const PREFIX = `${PLAIN}said/`;

/** In the vault. Of two who begin at once, it lets one. */
export function createSaidKeys(vault: Vault): SaidKeys {
  return {
    async begin(key, digest, attempt) {
      // With the id of the attempt: to the vault, the same value again is no other.
      const begun = JSON.stringify({ state: "begun", digest, ...attempt });
      if (await vault.put(nameOf(key), begun, null)) return "fresh";
      const kept = keptIn((await vault.get(nameOf(key))) ?? "{}");
      if (kept.digest !== digest) return "other";
      return kept.state === "said" ? "said" : "begun";
    },
    async said(key, digest, atMs) {
      await vault.put(nameOf(key), JSON.stringify({ state: "said", digest, atMs }));
    },
    async takeBack(key) {
      await vault.remove(nameOf(key));
    },
    async forget(beforeMs) {
      let gone = 0;
      for await (const { name, value } of entriesOf(vault, PREFIX))
        if (keptIn(value).atMs < beforeMs && (await vault.remove(name, value))) gone++;
      return gone;
    },
  };
}

function nameOf(key: string): string {
  return PREFIX + namePart(key);
}

function keptIn(value: string) {
  const parsed = parseJsonObject(value);
  const of = parsed.ok ? parsed.value : {};
  const atMs = get(of, "atMs");
  return {
    state: getString(of, "state"),
    digest: getString(of, "digest"),
    atMs: typeof atMs === "number" ? atMs : 0,
  };
}
