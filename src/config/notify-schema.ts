import { createHash } from "node:crypto";
import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import { HOOK_TYPES } from "../domain/hook.ts";
import type { PlatformModule } from "../ports/platform.ts";
import { count } from "./schema-parts.ts";

const id = z.union([z.string().min(1).max(200), z.int()]).transform(String);

const notice = (speaking: readonly string[]) =>
  z
    .strictObject({
      platform: z.enum(PLATFORMS).refine((name) => speaking.includes(name), {
        error: `expected a platform on which a bot may speak first: ${speaking.join(", ")}`,
      }),
      tenant: id
        .optional()
        .describe(
          "As in a conversation's key: workspace, server, or the id of the bot. Default: the only one.",
        ),
      channel: id.describe("Where it is said: a channel, a chat, or a person."),
      thread: id.optional().describe("In this thread or topic of it."),
      events: z.array(z.enum(HOOK_TYPES)).min(1).describe("What is told there: a line for each."),
      attempts: count(1, 30)
        .default(16)
        .describe("Tries of a line, at growing intervals, before it is given up."),
    })
    .transform((given) => ({ ...given, name: nameOf(given) }));

/** People and channels of operators that are told what happens (docs/hooks.md). */
export const notifyOf = (modules: readonly PlatformModule[]) =>
  z
    .array(notice(modules.filter(({ speaksFirst }) => speaksFirst === true).map(({ name }) => name)))
    .max(50)
    .superRefine((all, context) => {
      for (const [i, { name }] of all.entries()) {
        const first = all.findIndex((one) => one.name === name);
        const message = `expected a place of its own, got that of notify[${first}]: give that all events`;
        if (first !== i) context.addIssue({ code: "custom", path: [i], message });
      }
    })
    .default([])
    .describe(
      "Where operators are told what happens, in chats: a line for each event, without anybody's words (docs/hooks.md).",
    );

export type NotifySpec = z.output<ReturnType<typeof notice>>;

/** What waits for a place is found by it. */
function nameOf({
  platform,
  tenant = "",
  channel,
  thread = "",
}: {
  readonly platform: string;
  readonly tenant?: string | undefined;
  readonly channel: string;
  readonly thread?: string | undefined;
}): string {
  const place = JSON.stringify([platform, tenant, channel, thread]);
  return `notify-${platform}-${createHash("sha256").update(place).digest("hex").slice(0, 8)}`;
}
