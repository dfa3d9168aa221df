import type { Message } from "../ports/model.ts";

/** Fewer bytes than in most tokens, so that an estimate is rather too high. */
export const BYTES_PER_TOKEN = 3;

/** Rather too high than too low, except for scripts that need more than one token for three bytes. */
export function estimateTokens(value: unknown): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(value)) / BYTES_PER_TOKEN);
}

/** With what the images among them may take. */
export function promptTokens(messages: readonly Message[]): number {
  const pictures = messages.flatMap((message) => ("pictures" in message ? (message.pictures ?? []) : []));
  return estimateTokens(messages) + pictures.reduce((sum, { tokensMax }) => sum + tokensMax, 0);
}
