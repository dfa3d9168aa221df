import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import { refusalSchema } from "../feed/refusal.ts";
import { EVENT_STATES } from "../ports/journal.ts";

/** The shapes of the admin API: what it answers, which `openapi.json` describes and tests check. */

const REPLAY_MODES = ["resume", "anew"] as const;
export const LETTER_KINDS = ["inbound", "outbound"] as const;
export type LetterKind = (typeof LETTER_KINDS)[number];

const time = z.iso.datetime();
const eventId = z.string().describe("Holds colons and other signs: encode it in a path.");

const eventFields = {
  id: eventId,
  seq: z.int().describe("Place in the list: grows with each acceptance and each replay."),
  state: z.enum(EVENT_STATES),
  platform: z.enum(PLATFORMS),
  tenant: z.string(),
  place: z.string().describe("Channel, chat or phone number."),
  thread: z.string().nullable(),
  conversation: z.string(),
  sender: z.object({ id: z.string(), name: z.string() }),
  trigger: z.string().describe("mention, direct, command, button, thread or ambient."),
  command: z.string().nullable(),
  agent: z.string().nullable().describe("Null until a run began."),
  excerpt: z.string().describe("The beginning of the text."),
  attempts: z.int(),
  cause: z.string().nullable().describe("Why it waits again, was dropped or is dead."),
  merged_into: eventId
    .nullable()
    .describe("The event whose run answers this one too; `state` is `merged` once that is over."),
  accepted_at: time,
  updated_at: time,
  replays: z
    .array(
      z.object({
        at: time,
        by: z.string(),
        mode: z.enum(REPLAY_MODES),
        cause: z.string().nullable().describe("What it had ended with."),
      }),
    )
    .describe("Oldest first."),
};

export const usage = z.object({
  input_tokens: z.number(),
  output_tokens: z.number(),
  cache_read_tokens: z.number(),
  cache_write_tokens: z.number(),
  cost_cents: z.number(),
});

const step = z.union([
  z.object({
    kind: z.literal("model"),
    text: z.string(),
    tool_calls: z.array(z.object({ id: z.string(), name: z.string(), input: z.unknown() })),
    stop: z.string().nullable(),
    usage,
    model: z
      .string()
      .optional()
      .describe("Which one: provider/name. Absent: an older version has recorded it."),
    from_cache: z
      .literal(true)
      .optional()
      .describe("It was said before to the same words, and no model was asked."),
  }),
  z.object({
    kind: z.literal("compacted").describe("The model has made a summary of older turns."),
    text: z.string(),
    turns: z.int().describe("Of so many."),
    usage,
  }),
  z.object({ kind: z.literal("joined"), event_id: eventId }),
  z.object({
    kind: z.literal("model-started"),
    held_cents: z
      .number()
      .describe(
        "The most that the call can cost. Without a `model` or `compacted` right behind it, all of it counts as spent.",
      ),
    day: z.string().describe("On whose budget it is held; empty where there is none."),
  }),
  z.object({
    kind: z.literal("tool-asked"),
    call_id: z.string(),
    approval_id: z.string(),
    question: z.string(),
    asked_at: time,
    expires_at: time,
  }),
  z.object({
    kind: z.literal("tool-voted").describe("One of several who have to approve has."),
    approval_id: z.string(),
    by: z.object({ id: z.string(), name: z.string() }),
    at: time.nullable(),
  }),
  z.object({
    kind: z.literal("tool-decided"),
    approval_id: z.string(),
    verdict: z.enum(["approved", "denied", "expired", "withdrawn"]),
    by: z.object({ id: z.string(), name: z.string() }).nullable(),
    reason: z.string().nullable(),
  }),
  z.object({
    kind: z.literal("agent"),
    call_id: z.string(),
    agent: z.string(),
    steps: z.int().describe("How far another agent, which was asked as a tool, has got."),
  }),
  z.object({ kind: z.literal("tool-started"), call_id: z.string() }),
  z.object({ kind: z.literal("tool"), call_id: z.string(), result: z.string(), is_error: z.boolean() }),
]);

const progress = z.object({
  run_id: z.string(),
  agent: z.string(),
  path: z
    .array(z.string())
    .optional()
    .describe("All agents that have had the run, where it was handed over; the last one is `agent`."),
  started_at: time,
  steps: z.array(step).describe("What was paid for and done so far; given up once there is an answer."),
  answer: z
    .object({
      outcome: z.string(),
      text: z.string(),
      parts: z.int().describe("Messages that the answer takes on its platform."),
      usage,
      models: z
        .array(z.object({ model: z.string(), calls: z.int(), usage }))
        .describe(
          "What each model used, as provider/name; empty where none was asked, or an older version has kept it.",
        ),
      from_cache: z
        .literal(true)
        .optional()
        .describe("It was said before to the same words, and no model was asked."),
      cause: z.string().nullable(),
    })
    .nullable(),
});

const whole = {
  feedback: z
    .array(z.object({ by: z.string(), rating: z.enum(["up", "down"]), at: time }))
    .describe("What people made of the answer, by reactions; the latest word of each, 100 at most."),
  text: z.string(),
  is_direct: z.boolean(),
  occurred_at: time.describe("By the platform's clock; its age decides whether it may be replayed."),
  attachments: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      name: z.string().nullable(),
      mime: z.string().nullable(),
      size_bytes: z.number().nullable(),
    }),
  ),
  progress: progress.nullable(),
};

const kind = z
  .enum(LETTER_KINDS)
  .describe("outbound: there is an answer that could not be said; inbound: there is none.");

export const eventSchema = z.object(eventFields);
export const eventDetailSchema = z.object({ ...eventFields, ...whole });
export const letterSchema = z.object({ ...eventFields, kind });
export const letterDetailSchema = z.object({ ...eventFields, ...whole, kind });
export type EventView = z.output<typeof eventSchema>;
export type EventDetail = z.output<typeof eventDetailSchema>;
export type LetterView = z.output<typeof letterSchema>;
export type LetterDetail = z.output<typeof letterDetailSchema>;
export type ProgressView = z.output<typeof progress>;
export type UsageView = z.output<typeof usage>;
export type StepView = z.output<typeof step>;

/** Opaque: nothing but to be given back. */
const nextAs = (parameter: string) =>
  z
    .string()
    .nullable()
    .describe(`Give it as \`${parameter}\` for the page after this one; null: there is none.`);
const next = nextAs("before");
export const eventPageSchema = z.object({ events: z.array(eventSchema), next });
export const letterPageSchema = z.object({ letters: z.array(letterSchema), next });

export const refusalPageSchema = z.object({
  refusals: z.array(refusalSchema),
  next: nextAs("cursor"),
});

export const replayedSchema = z.object({
  id: z.string(),
  status: z.literal("queued"),
  mode: z.enum(REPLAY_MODES),
  by: z.string(),
});
export const droppedSchema = z.object({ id: z.string(), status: z.literal("dropped"), by: z.string() });

/** One letter of a bulk request. */
export const bulkLineSchema = z.object({
  id: z.string(),
  kind: kind.nullable().describe("Null: there is no such letter."),
  result: z
    .enum(["replayed", "dropped", "would_replay", "would_drop", "refused", "changed", "full", "unknown"])
    .describe(
      "refused: by admission; changed: no longer the dead letter it was; full: too much waits already.",
    ),
  message: z.string().nullable(),
  n: z.int(),
  of: z.int(),
});
export type BulkLine = z.output<typeof bulkLineSchema>;

/** The last line of a bulk request. */
export const bulkEndSchema = z.object({
  totals: z.object({ matched: z.int(), done: z.int(), refused: z.int(), changed: z.int(), full: z.int() }),
  dry_run: z.boolean(),
  complete: z.boolean().describe("False: it broke off, and `error` says why."),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type BulkEnd = z.output<typeof bulkEndSchema>;

export const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
