import { z } from "zod";
import type { HookDelivery, HookDesk } from "../ports/hooks.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import { BULK_IDS_MAX, PAGE_DEFAULT, PAGE_MAX } from "./bounds.ts";
import { type ApiResponse, problem } from "./responses.ts";

export interface HooksDeps {
  readonly hooks: HookDesk;
  readonly log: Logger;
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
}

const CURSOR = /^[0-9a-v]{9}\/[\w-]{1,100}$/;

export const deadHooksQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z
    .string()
    .regex(CURSOR, { error: "expected the `next` of a page of this list, as it was given" })
    .optional()
    .describe("The `next` of the page before, as it was given."),
});

export const replayHookBody = z.strictObject({
  ids: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(BULK_IDS_MAX)
    .optional()
    .describe("Those alone; absent: all that were given up."),
});

const time = z.iso.datetime();

export const hooksSchema = z.object({
  hooks: z.array(
    z.object({
      name: z.string(),
      to: z.string().describe("Scheme and host of its address."),
      events: z.array(z.string()),
      include_text: z.boolean(),
      waiting: z.int().describe("Messages on their way to it; 1,000 at most are counted."),
      dead: z.int().describe("Messages that were given up, and can be sent again."),
      last_delivered_at: time.nullable(),
      last_failure: z
        .object({ at: time, cause: z.string() })
        .nullable()
        .describe("Null: the last call went well."),
    }),
  ),
});
export type HooksView = z.infer<typeof hooksSchema>;

export const deadHookPageSchema = z.object({
  deliveries: z.array(
    z.object({
      id: z.string().describe("The `webhook-id` with which it was sent."),
      type: z.string(),
      at: time.describe("When it happened."),
      event_id: z.string().optional(),
      attempts: z.int(),
      cause: z.string(),
      died_at: time,
      data: z.record(z.string(), z.unknown()).describe("As it was sent, without text."),
    }),
  ),
  next: z.string().nullable(),
});
export type DeadHookPage = z.infer<typeof deadHookPageSchema>;

export const hookTrialSchema = z.object({
  name: z.string(),
  status: z.enum(["delivered", "failed"]),
  http_status: z.int().nullable(),
  cause: z.string().optional(),
});
export type HookTrialView = z.infer<typeof hookTrialSchema>;

export const replayedHooksSchema = z.object({ name: z.string(), replayed: z.int(), by: z.string() });
export type ReplayedHooks = z.infer<typeof replayedHooksSchema>;

export async function hooksView({ hooks }: HooksDeps): Promise<HooksView> {
  const found = await hooks.list();
  return {
    hooks: found.map(({ name, to, types, includesText, waiting, dead, deliveredAtMs, failure }) => ({
      ...{ name, to, events: [...types], include_text: includesText, waiting, dead },
      last_delivered_at: deliveredAtMs === null ? null : iso(deliveredAtMs),
      last_failure: failure === null ? null : { at: iso(failure.atMs), cause: failure.cause },
    })),
  };
}

export async function deadHooks(
  name: string,
  { limit, cursor }: z.output<typeof deadHooksQuery>,
  { hooks }: HooksDeps,
): Promise<ApiResponse> {
  const page = await hooks.dead(name, { limit, ...(cursor !== undefined && { after: cursor }) });
  if (page === null) return unknown();
  return { status: 200, body: { deliveries: page.deliveries.map(deadView), next: page.next } };
}

export async function replayHook(
  {
    id: name,
    by,
    body,
  }: { readonly id: string; readonly by: string; readonly body: z.output<typeof replayHookBody> },
  { hooks, log }: HooksDeps,
): Promise<ApiResponse> {
  const replayed = await hooks.replay(name, body.ids === undefined ? null : new Set(body.ids));
  if (replayed === null) return unknown();
  log.info({ hook: name, replayed, by }, "hook.replayed");
  return { status: 200, body: { name, replayed, by } };
}

export async function tryHook(name: string, { hooks, stopping }: HooksDeps): Promise<ApiResponse> {
  const trial = await hooks.test(name, stopping);
  if (trial === null) return unknown();
  const { status: http_status } = trial;
  return trial.kind === "delivered"
    ? { status: 200, body: { name, status: "delivered", http_status } }
    : { status: 200, body: { name, status: "failed", http_status, cause: trial.cause } };
}

function deadView({ id, type, atMs, eventId, attempts, died, data }: HookDelivery) {
  return {
    ...{ id, type, at: iso(atMs), attempts, data },
    ...(eventId !== undefined && { event_id: eventId }),
    ...{ cause: died?.cause ?? "", died_at: iso(died?.atMs ?? atMs) },
  };
}

function unknown(): ApiResponse {
  return problem(404, "There is no hook of this name; GET /api/v1/hooks lists them");
}
