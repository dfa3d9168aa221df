import { z } from "zod";
import type { Reaction } from "../../src/domain/reaction.ts";

const emojis = (words: string, ...fallback: readonly string[]) =>
  z
    .array(z.string().min(1).max(64))
    .max(50)
    .default([...fallback])
    .describe(words);

/** The option `reactions`, with the emojis as the platform names them. */
export function reactionsOption(up: readonly string[], down: readonly string[]) {
  return z
    .strictObject({
      feedback: z
        .enum(["on", "off"])
        .default("off")
        .describe("Whether a reaction to an answer says how good it was."),
      approvals: z
        .enum(["on", "off"])
        .default("off")
        .describe("Whether a reaction to a question of an agent decides it, for whoever may."),
      up: emojis("Good, or approved.", ...up),
      down: emojis("Bad, or denied.", ...down),
    })
    .prefault({})
    .describe("What emojis on messages of the bot mean.");
}

export type ReactionsOption = z.output<ReturnType<typeof reactionsOption>>;

export function areHeard({ feedback, approvals }: ReactionsOption): boolean {
  return feedback === "on" || approvals === "on";
}

export function meant({ feedback, approvals }: ReactionsOption): {
  readonly feedback: boolean;
  readonly approvals: boolean;
} {
  return { feedback: feedback === "on", approvals: approvals === "on" };
}

/** Null: this one means nothing. A shade of skin is none. */
export function ratingOf(emoji: string, { up, down }: ReactionsOption): Reaction["rating"] | null {
  const plain = emoji.replace(/::skin-tone-\d$/, "").replace(/\p{Emoji_Modifier}|\ufe0f/gu, "");
  const isAmong = (list: readonly string[]) => list.some((one) => one.replace(/\ufe0f/g, "") === plain);
  if (isAmong(up)) return "up";
  return isAmong(down) ? "down" : null;
}
