import { get, getString, parseJsonObject } from "../../../src/shared/json.ts";
import type { Self } from "../message.ts";
import { isSnowflake } from "../snowflake.ts";

/** What whoever holds the socket next needs to go on with a session. */
export interface Session {
  readonly id: string;
  /** Where it is resumed, as Discord said. */
  readonly url: string;
  /** Of the last event before which all is durable. */
  readonly seq: number;
  /** How many shards there were when it began. */
  readonly shards: number;
  readonly self: Self;
  /** It was begun to hear of reactions, too: a session hears for good what it was begun for. */
  readonly hearsReactions?: true;
}

export function writeSession(session: Session): string {
  return JSON.stringify(session);
}

/** Null: there is none, or none that this version understands. */
export function readSession(note: string | null): Session | null {
  const parsed = parseJsonObject(note ?? "");
  if (!parsed.ok) return null;
  const id = getString(parsed.value, "id");
  const url = getString(parsed.value, "url");
  const seq = get(parsed.value, "seq");
  const shards = get(parsed.value, "shards");
  const self = get(parsed.value, "self");
  const applicationId = get(self, "applicationId");
  const userId = get(self, "userId");
  if (id === undefined || url === undefined || !isSnowflake(applicationId) || !isSnowflake(userId))
    return null;
  if (!isCount(seq) || !isCount(shards) || shards === 0) return null;
  const hears = get(parsed.value, "hearsReactions") === true ? { hearsReactions: true as const } : {};
  return { id, url, seq, shards, self: { applicationId, userId }, ...hears };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
