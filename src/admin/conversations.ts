import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import { type PersonRef, personIn } from "../domain/privacy.ts";
import type { Privacy } from "../ports/privacy.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "./bounds.ts";
import { cursorOf, placeOf } from "./cursor.ts";
import { type ApiResponse, problem } from "./responses.ts";

/** What is kept of conversations and of people: to be shown, handed out and erased. */

const isPerson = (text: string) => PLATFORMS.some((name) => name === personIn(text)?.platform);
const user = z
  .string()
  .max(2_000)
  .refine(isPerson, {
    error: ({ input }) =>
      `expected platform:workspace:id, the platform one of ${PLATFORMS.join(", ")}, got ${JSON.stringify(input)}`,
  })
  .describe("One person: platform, workspace and id with colons between.");

export const conversationsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z
    .string()
    .refine((text) => placeOf("conversations", text) !== null, {
      error: "expected the `next` of a page of this list, as it was given",
    })
    .optional()
    .describe("The `next` of the page before, as it was given."),
});
export const transcriptQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000).describe("So many turns, the newest."),
});
export const exportQuery = z.strictObject({
  user,
  files: z
    .enum(["true", "false"])
    .default("true")
    .transform((text) => text === "true")
    .describe("Whether the files of the person come, too, in base64."),
});
export const eraseBody = z.strictObject({
  user,
  dry_run: z.boolean().default(false).describe("Count what would go, and do nothing."),
});

const conversationSchema = z.object({
  id: z.string().describe("Its key: platform, workspace, place and thread. Encode it in a path."),
  seen_at: z.iso.datetime(),
  turns: z.int().describe("So many are remembered."),
});
export type ConversationView = z.output<typeof conversationSchema>;
export const conversationPageSchema = z.object({
  conversations: z.array(conversationSchema).describe("Those heard of last come first, nearly."),
  next: z.string().nullable(),
});
export const transcriptSchema = z.object({
  id: z.string(),
  turns: z.array(
    z.object({
      role: z
        .enum(["user", "assistant", "summary"])
        .describe("`summary`: what the model has kept of older turns, which it is shown in their place."),
      name: z.string().nullable(),
      text: z.string(),
      at: z.iso.datetime(),
    }),
  ),
});
export type Transcript = z.output<typeof transcriptSchema>;
export const exportedSchema = z.looseObject({ kind: z.enum(["event", "turn", "file", "other"]) });
export const erasureSchema = z.object({
  dry_run: z.boolean(),
  subject: z
    .string()
    .describe("A keyed hash of the person's id, by which the audit and the log know what was erased."),
  complete: z.boolean().describe("Nothing is left, as far as is known."),
  conversations: z.int().describe("In which the person took part."),
  events: z.int(),
  turns: z.int(),
  files: z.int(),
  others: z.int().describe("Permissions, ratings, names, limits and the like."),
  changed: z.int().describe("Of other people, in which something of the person was replaced."),
  in_hand: z.int().describe("Still worked on: they stay, and want to be erased again."),
  left: z.array(z.string()).describe("What could not be seen to."),
});
export type ErasureView = z.output<typeof erasureSchema>;

export interface ConversationsDeps {
  readonly privacy: Privacy;
  /** A keyed hash: whoever has the id and the key finds it again, and nobody else the id. */
  readonly subjectOf: (person: string) => string;
  readonly log: Logger;
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
}

export async function conversationPage(
  { limit, cursor }: z.output<typeof conversationsQuery>,
  { privacy }: ConversationsDeps,
): Promise<z.output<typeof conversationPageSchema>> {
  const after = cursor === undefined ? null : placeOf("conversations", cursor);
  const { found, next } = await privacy.list({ limit, ...(after !== null && { after }) });
  return {
    conversations: found.map(({ conversation, seenAtMs, turns }) => ({
      ...{ id: conversation, seen_at: iso(seenAtMs), turns },
    })),
    next: next === null ? null : cursorOf("conversations", next),
  };
}

export async function transcriptOf(
  id: string,
  { limit }: z.output<typeof transcriptQuery>,
  { privacy }: ConversationsDeps,
): Promise<ApiResponse> {
  const turns = await privacy.show(id, limit);
  if (turns === null) return problem(404, "There is no conversation of this id");
  const shown = turns.map(({ role, name, text, atMs }) => ({ role, name, text, at: iso(atMs) }));
  return { status: 200, body: { id, turns: shown } satisfies Transcript };
}

export function exportPerson(
  { user: text, files }: z.output<typeof exportQuery>,
  { privacy }: ConversationsDeps,
): ApiResponse {
  const encoder = new TextEncoder();
  const body = ReadableStream.from<Uint8Array>(
    (async function* () {
      for await (const one of privacy.export(personOf(text), { files }))
        yield encoder.encode(`${JSON.stringify(one)}\n`);
    })(),
  );
  const headers = { "content-type": "application/x-ndjson", "x-accel-buffering": "no" };
  return { status: 200, body, headers };
}

export async function erasePerson(
  { user: text, dry_run }: z.output<typeof eraseBody>,
  by: string,
  { privacy, subjectOf, log, stopping }: ConversationsDeps,
): Promise<ErasureView> {
  const done = await privacy.erase(personOf(text), { isDry: dry_run, signal: stopping });
  const { inHand, left, ...counts } = done;
  const complete = inHand === 0 && left.length === 0;
  // Not whom: the log is kept longer than what is erased.
  const subject = subjectOf(text);
  if (!dry_run)
    log.info({ by, subject, ...counts, in_hand: inHand, left: left.length }, "conversations.erased");
  return { dry_run, subject, complete, ...counts, in_hand: inHand, left: [...left] };
}

/** As it was checked. */
function personOf(text: string): PersonRef {
  const person = personIn(text);
  if (person === null) throw new Error("Expected a person that was checked, got none");
  return person;
}
