import { z } from "zod";
import { approvalsIn, fullName } from "../domain/approval.ts";
import { PLATFORMS } from "../domain/event.ts";
import type { Approval } from "../domain/run.ts";
import type { EventRecord, Journal } from "../ports/journal.ts";
import type { QuestionState, Questions } from "../ports/questions.ts";
import { iso } from "../shared/time.ts";
import { REASON_CHARS_MAX } from "./bounds.ts";
import { cursorOf, placeOf } from "./cursor.ts";

/** What agents ask people before they use a tool, and what was decided. */

const time = z.iso.datetime();
const VERDICTS = ["approved", "denied", "expired", "withdrawn"] as const;

export const approvalSchema = z.object({
  id: z.string(),
  state: z
    .enum(["waiting", ...VERDICTS, "stopped"])
    .describe("withdrawn: by a newer message; stopped: the run has ended without a decision."),
  agent: z.string(),
  tool: z.string(),
  arguments: z.unknown().describe("What the tool is given; null where an older version has asked."),
  effect: z.enum(["read", "write", "delete"]).nullable().describe("What the tool does at most."),
  question: z
    .string()
    .describe("What people are asked: the arguments as text, or words of a tool of our own."),
  choices: z
    .array(z.string())
    .nullable()
    .describe("The answers of a question that has some of its own; null: yes and no."),
  platform: z.enum(PLATFORMS),
  conversation: z.string(),
  event_id: z.string(),
  asked_by: z.object({ id: z.string().describe("platform:tenant:id"), name: z.string() }),
  place: z
    .object({
      platform: z.enum(PLATFORMS),
      tenant: z.string().nullable(),
      channel: z.string(),
      thread: z.string().nullable(),
    })
    .nullable()
    .describe("Where it is asked and decided; null: in its conversation."),
  asked_at: time,
  expires_at: time,
  needs: z.int().describe("So many people have to approve."),
  decisions: z
    .array(
      z.object({
        verdict: z.enum(VERDICTS),
        by: z
          .object({ id: z.string().describe("platform:tenant:id, or api:operator"), name: z.string() })
          .nullable()
          .describe("Null: nobody."),
        reason: z.string().nullable(),
        at: time.nullable(),
      }),
    )
    .describe("In their order; the last one decides unless `state` is `waiting`."),
});
export type ApprovalView = z.output<typeof approvalSchema>;

export const approvalPageSchema = z.object({
  approvals: z.array(approvalSchema),
  next: z
    .string()
    .nullable()
    .describe("Give it as `cursor` for the page after this one; null: there is none."),
});

export const decideBody = z
  .strictObject({
    verdict: z.enum(["approved", "denied"]),
    choice: z.int().min(1).optional().describe("Which of `choices` is approved, from 1; absent: the first."),
    reason: z
      .string()
      .max(REASON_CHARS_MAX)
      .optional()
      .describe("Told to the model and in the conversation."),
  })
  .refine(({ verdict, choice }) => verdict === "approved" || choice === undefined, {
    error: "choice goes with approved: expected none with denied",
  });

export const castSchema = z.object({
  id: z.string(),
  state: z.enum(["approved", "denied", "waiting"]).describe("waiting: more people have to approve."),
  needed: z.int().describe("So many more."),
  by: z.string(),
});

/** What became of a word of an operator. `over`: it was of no use, and `message` says why. */
export type Decided =
  | { readonly kind: "unknown" }
  /** The question has no such answer. */
  | { readonly kind: "no-such-choice"; readonly message: string }
  | { readonly kind: "over"; readonly message: string }
  | { readonly kind: "done"; readonly state: "approved" | "denied" | "waiting"; readonly needed: number };

export interface ApprovalDeps {
  readonly journal: Pick<Journal, "find">;
  readonly questions: Pick<Questions, "list" | "close">;
  /** Says it to the run, wherever that is. */
  readonly decide: (word: {
    readonly approvalId: string;
    readonly verdict: "approved" | "denied";
    readonly choice?: number | undefined;
    readonly reason?: string | undefined;
    readonly by: string;
  }) => Promise<Decided>;
}

/** Questions looked at at once, and for one page; each is a look at its event. */
const CHUNK = 50;
const LOOKS_MAX = 1_000;

export interface ApprovalPage {
  readonly approvals: readonly ApprovalView[];
  readonly next: string | null;
}

/** Those of the newest runs first. Few or none where hardly any is left of those that were asked: `next` leads on. */
export async function approvalPage(
  { state, limit, cursor }: { state: QuestionState; limit: number; cursor?: string | undefined },
  { journal, questions }: ApprovalDeps,
): Promise<ApprovalPage> {
  const approvals: ApprovalView[] = [];
  let after = cursor === undefined ? undefined : (placeOf("approvals", cursor) ?? undefined);
  const nextAfter = (id: string | undefined) => (id === undefined ? null : cursorOf("approvals", id));
  for (let looks = 0; looks < LOOKS_MAX; looks += CHUNK) {
    const chunk = await questions.list({ state, limit: CHUNK, ...(after !== undefined && { after }) });
    const records = await Promise.all(chunk.map(({ eventId }) => journal.find(eventId)));
    for (const [index, { approvalId }] of chunk.entries()) {
      const record = records[index] ?? null;
      const view = record === null ? null : approvalView(record, approvalId);
      const isWaiting = view?.state === "waiting";
      // Its run ended on a way that told nobody.
      if (state === "waiting" && !isWaiting && isOver(record)) await questions.close(approvalId);
      if (view !== null && isWaiting === (state === "waiting")) {
        if (approvals.length === limit) return { approvals, next: nextAfter(after) };
        approvals.push(view);
      }
      after = approvalId;
    }
    if (chunk.length < CHUNK) return { approvals, next: null };
  }
  return { approvals, next: nextAfter(after) };
}

function isOver(record: EventRecord | null): boolean {
  return record === null || ["done", "dropped", "dead", "merged"].includes(record.state);
}

/** Null: this event has asked nothing of this id. */
export function approvalView(record: EventRecord, approvalId: string): ApprovalView | null {
  const { event, progress } = record;
  const asked = progress?.approvals ?? approvalsIn(progress?.steps ?? []);
  const approval = asked.find((one) => one.approvalId === approvalId);
  if (progress === null || approval === undefined) return null;
  const isRunning = progress.answer === null && !isOver(record);
  return {
    id: approvalId,
    state: approval.decided?.verdict ?? (isRunning ? "waiting" : "stopped"),
    agent: progress.agent,
    tool: approval.use?.tool ?? approval.tool,
    arguments: approval.input ?? null,
    effect: approval.use?.effect ?? null,
    question: approval.question,
    choices: approval.choices === undefined ? null : [...approval.choices],
    platform: event.platform,
    conversation: event.conversation,
    event_id: record.id,
    asked_by: { id: fullName(event.sender, event), name: event.sender.name },
    place: approval.place ?? null,
    asked_at: iso(approval.askedAtMs),
    expires_at: iso(approval.untilMs),
    needs: approval.needs ?? 1,
    decisions: decisionsOf(approval, record),
  };
}

const UNASKED = "it could not be asked in its place";

function decisionsOf({ votes = [], decided }: Approval, { event }: EventRecord): ApprovalView["decisions"] {
  const all = [
    ...votes.map((vote) => ({ verdict: "approved" as const, ...vote })),
    ...(decided ? [decided] : []),
  ];
  return all.map(({ verdict, by, atMs, ...rest }) => ({
    verdict,
    by: by === null ? null : { id: fullName(by, event), name: by.name },
    reason: "unasked" in rest ? UNASKED : "reason" in rest ? (rest.reason ?? null) : null,
    at: atMs === undefined ? null : iso(atMs),
  }));
}
