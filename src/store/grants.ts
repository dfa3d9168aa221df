import type { Grant, GrantedTool, Grants } from "../ports/grants.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getObject, getString, parseJsonObject } from "../shared/json.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf, namePart } from "./vault-entries.ts";

const PREFIX = `${PLAIN}grant/`;
/** An agent has fewer tools. */
const LISTED_MAX = 1_000;

/** Grants in the vault, those of one conversation side by side. */
export function createGrants(vault: Vault): Grants {
  return {
    async allow(granted, { untilMs, by }) {
      const { agent, tool } = granted;
      await vault.put(nameOf(granted), JSON.stringify({ agent, tool, untilMs, by }));
    },
    async find(granted, nowMs) {
      const value = await vault.get(nameOf(granted));
      const grant = value === null ? null : grantIn(value);
      return grant !== null && grant.untilMs > nowMs ? grant : null;
    },
    async list(conversation, nowMs) {
      const grants: Grant[] = [];
      for await (const { value } of entriesOf(vault, placeOf(conversation))) {
        const grant = grantIn(value);
        if (grant !== null && grant.untilMs > nowMs) grants.push(grant);
        if (grants.length >= LISTED_MAX) break;
      }
      return grants;
    },
    async revoke(conversation) {
      for await (const { name } of entriesOf(vault, placeOf(conversation))) await vault.remove(name);
    },
    async forget(nowMs) {
      let gone = 0;
      for await (const { name, value } of entriesOf(vault, PREFIX)) {
        // Of one that was given anew meanwhile, the new one stays.
        const isOver = (grantIn(value)?.untilMs ?? 0) <= nowMs;
        if (isOver && (await vault.remove(name, value))) gone++;
      }
      return gone;
    },
  };
}

function placeOf(conversation: string): string {
  return `${PREFIX}${namePart(conversation)}/`;
}

function nameOf({ conversation, agent, tool }: GrantedTool): string {
  return `${placeOf(conversation)}${namePart(agent)}/${namePart(tool)}`;
}

function grantIn(value: string): Grant | null {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const [agent, tool] = ["agent", "tool"].map((name) => getString(parsed.value, name));
  const untilMs = get(parsed.value, "untilMs");
  const by = getObject(parsed.value, "by");
  const [id, name, from] = ["id", "name", "from"].map((key) => getString(by, key));
  if (agent === undefined || tool === undefined || typeof untilMs !== "number") return null;
  if (id === undefined || name === undefined) return null;
  return { agent, tool, untilMs, by: { id, name, ...(from !== undefined && { from }) } };
}
