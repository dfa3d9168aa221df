import type { LimitValue } from "../domain/controls.ts";

/**
 * A limit as the store counts it: `messages` at once, then one every `perMs / messages`. A `burst` changes how many
 * at once and keeps the rate. Null: `off`.
 */
export function allowance(limit: LimitValue): { messages: number; perMs: number } | null {
  if (limit === "off") return null;
  const messages = limit.burst ?? limit.messages;
  return { messages, perMs: Math.round((limit.per_seconds * 1000 * messages) / limit.messages) };
}
