import type { AgentChoices } from "../ports/agent-choices.ts";
import type { Clock } from "../ports/clock.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getString, parseJsonObject } from "../shared/json.ts";
import { DAY_MS } from "../shared/time.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf, namePart } from "./vault-entries.ts";

const PREFIX = `${PLAIN}agent/`;
/** Nobody remembers then what was chosen there. */
const KEPT_MS = 90 * DAY_MS;

/** One entry of the vault for each conversation in which somebody has chosen. */
export function createAgentChoices(vault: Vault, clock: Pick<Clock, "nowMs">): AgentChoices {
  const isOver = (atMs: number) => clock.nowMs() - atMs > KEPT_MS;
  return {
    async find(conversation) {
      const value = await vault.get(nameOf(conversation));
      const found = value === null ? null : choiceIn(value);
      if (found === null || isOver(found.atMs)) return null;
      const { agent, isHanded } = found;
      return { agent, ...(isHanded && { isHanded }) };
    },
    async choose(conversation, choice) {
      if (choice === null) await vault.remove(nameOf(conversation));
      else await vault.put(nameOf(conversation), JSON.stringify({ ...choice, atMs: clock.nowMs() }));
    },
    async forget() {
      let gone = 0;
      for await (const { name, value } of entriesOf(vault, PREFIX)) {
        // Of one that was chosen anew meanwhile, the new one stays.
        if (isOver(choiceIn(value)?.atMs ?? 0) && (await vault.remove(name, value))) gone++;
      }
      return gone;
    },
  };
}

function nameOf(conversation: string): string {
  return `${PREFIX}${namePart(conversation)}`;
}

function choiceIn(value: string): { agent: string; atMs: number; isHanded?: true } | null {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const agent = getString(parsed.value, "agent");
  const atMs = get(parsed.value, "atMs");
  if (agent === undefined || typeof atMs !== "number") return null;
  return { agent, atMs, ...(get(parsed.value, "isHanded") === true && { isHanded: true }) };
}
