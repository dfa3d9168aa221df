import { GatewayError } from "../domain/errors.ts";
import type { Bus } from "../ports/bus.ts";
import type { KeptSecret, Secrets } from "../ports/secrets.ts";
import type { Vault } from "../ports/vault.ts";
import type { Seal } from "../shared/seal.ts";
import { entriesOf } from "./vault-entries.ts";

const TOPIC = "secrets";
/** How names begin of what is no secret, and not sealed. */
export const PLAIN = "plain/";
/** What processes say of themselves: sealed by nobody either, and named before there was a beginning for all that. */
export const REPLICA = "replica/";
/** Of those that no key opens. */
const NAMED_MAX = 100;

/** The vault through a seal. */
export function createSecrets(
  seal: Seal,
  { vault, bus }: { readonly vault: Vault; readonly bus: Bus },
): Secrets {
  const opened = (name: string, value: string): KeptSecret => {
    const text = seal.open(name, value);
    if (text === null) throw unreadable(name);
    return { text, mark: value };
  };
  const told = async (name: string, isChanged: boolean) => {
    if (isChanged) await bus.publish(TOPIC, name);
    return isChanged;
  };
  return {
    async get(name) {
      const value = await vault.get(name);
      return value === null ? null : opened(name, value);
    },
    put: async (name, text, was) =>
      await told(
        name,
        await vault.put(name, seal.seal(name, text), was === undefined ? was : (was?.mark ?? null)),
      ),
    remove: async (name, was) => await told(name, await vault.remove(name, was?.mark)),
    names: async (page) => (await vault.list(page)).map(({ name }) => name),
    watch: (heard) => bus.subscribe(TOPIC, heard),
  };
}

/**
 * Seals with the first key what another has sealed, so that the other can be taken away. What changes meanwhile is left: it
 * was sealed with the first. Gives how many were, and the names of those that no key opens.
 */
export async function resealAll(
  seal: Seal,
  vault: Vault,
): Promise<{ readonly resealed: number; readonly unreadable: readonly string[] }> {
  let resealed = 0;
  const unreadable: string[] = [];
  for await (const { name, value } of entriesOf(vault, "")) {
    if (UNSEALED.some((begin) => name.startsWith(begin)) || seal.isCurrent(value)) continue;
    const text = seal.open(name, value);
    if (text === null) {
      if (unreadable.length < NAMED_MAX) unreadable.push(name);
    } else if (await vault.put(name, seal.seal(name, text), value)) resealed++;
  }
  return { resealed, unreadable };
}

const UNSEALED = [PLAIN, REPLICA];

function unreadable(name: string): GatewayError {
  return new GatewayError(
    "SECRET_UNREADABLE",
    `Expected a key of PARLEY_ENCRYPTION_KEY to open ${name}, got none that does: it was sealed with another key`,
  );
}
