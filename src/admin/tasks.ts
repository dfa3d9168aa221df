import { z } from "zod";
import { TEXT_CHARS_MAX } from "../domain/bounds.ts";
import { PRIORITIES } from "../domain/priority.ts";
import { usageOf } from "../domain/run.ts";
import { cleanText, PRINTABLE } from "../domain/text.ts";
import { EVENT_STATES, type EventRecord } from "../ports/journal.ts";
import type { TaskDesk } from "../ports/tasks.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import { noQuery } from "./requests.ts";
import { type ApiResponse, problem, unavailable } from "./responses.ts";
import { usage } from "./schemas.ts";
import { agentOf, usageView } from "./views.ts";

export interface TasksDeps {
  readonly tasks: TaskDesk;
  readonly log: Logger;
}

/** Of names that go into keys and logs. */
const NAME_CHARS_MAX = 200;

export const taskBody = z.strictObject({
  goal: z
    .string()
    .max(TEXT_CHARS_MAX)
    .refine((text) => cleanText(text).trim() !== "", { error: "expected words, got none" })
    .describe("What the agent is asked."),
  agent: z.string().min(1).max(NAME_CHARS_MAX).optional().describe("Absent: as the routes have it."),
  conversation: z
    .string()
    .max(NAME_CHARS_MAX)
    .regex(PRINTABLE, { error: "expected printable characters" })
    .optional()
    .describe("Tasks of one are done in order, and know of each other. Absent: it stands alone."),
  priority: z
    .enum(PRIORITIES)
    .default("normal")
    .describe(
      "Which of the tasks that wait are begun first: of seven turns high ones have four, normal ones two, low ones one. Within a conversation the order stays, and what people say in chats is not held up.",
    ),
});

export const taskBegunSchema = z.object({
  id: z.string().describe("That of its event, too. Holds a colon: encode it in a path."),
  status: z.enum(["accepted", "duplicate"]).describe("`duplicate`: it was asked for before, by this key."),
  agent: z.string(),
});

export const taskSchema = z.object({
  id: z.string(),
  state: z.enum(EVENT_STATES),
  goal: z.string(),
  agent: z.string().nullable().describe("Null until a run began."),
  conversation: z.string(),
  priority: z.enum(PRIORITIES),
  attempts: z.int(),
  outcome: z.string().nullable().describe("How its run ended: answered, failed, out-of-money, …"),
  reply: z.string().nullable().describe("Markdown; null until it is done."),
  cause: z.string().nullable().describe("Why it waits again, was dropped, failed or is dead."),
  usage: usage.describe("What its model calls have used so far."),
  asked_by: z.string(),
  accepted_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type TaskView = z.infer<typeof taskSchema>;

/** Those of OPERATIONS by which programs have agents do something. */
export const TASK_OPERATIONS = {
  beginTask: {
    method: "post",
    path: "/tasks",
    summary: "Have an agent do something: it is durable with the answer, and done in its turn",
    query: noQuery,
    body: taskBody,
    isIdempotent: true,
    answer: { status: 202, type: "application/json", schemas: ["TaskBegun"], what: "It waits for its run." },
    problems: [400, 409, 413, 415, 422, 503],
  },
  showTask: {
    method: "get",
    path: "/tasks/{id}",
    summary: "How far a task has got, its reply, and what it took",
    query: noQuery,
    answer: { status: 200, type: "application/json", schemas: ["Task"], what: "The task." },
    problems: [400, 404, 503],
  },
} as const;

export async function beginTask(
  order: z.output<typeof taskBody>,
  from: { readonly by: string; readonly key: string | undefined; readonly requestId: string },
  { tasks, log }: TasksDeps,
): Promise<ApiResponse> {
  const begun = await tasks.begin({ ...order, ...from });
  switch (begun.kind) {
    case "accepted":
    case "duplicate": {
      const { id, agent, kind } = begun;
      const { priority, goal } = order;
      log.info(
        { ...{ request_id: from.requestId, event_id: id, by: from.by }, agent, priority, chars: goal.length },
        `task.${kind}`,
      );
      return { status: 202, body: { id, status: kind, agent } };
    }
    case "wrong":
      return problem(400, begun.message);
    case "conflict":
      return problem(409, begun.message);
    case "refused":
      return problem(422, `Admission refuses it now: ${begun.message}`);
    case "full":
      return unavailable("QUEUE_FULL: too much is waiting already");
  }
}

export async function showTask(id: string, { tasks }: TasksDeps): Promise<ApiResponse> {
  const record = await tasks.find(id);
  return record === null
    ? problem(404, "There is no task of this id")
    : { status: 200, body: taskView(record) };
}

function taskView(record: EventRecord): TaskView {
  const { id, state, event, progress, attempt, cause, acceptedAtMs, updatedAtMs } = record;
  const answer = progress?.answer ?? null;
  return {
    ...{ id, state, goal: event.text, agent: agentOf(record), conversation: event.place },
    priority: event.priority ?? "normal",
    attempts: attempt,
    outcome: answer?.outcome ?? null,
    reply: state === "done" ? (answer?.text ?? null) : null,
    cause: cause ?? answer?.cause ?? null,
    usage: usageView(answer?.usage ?? usageOf(progress?.steps ?? [])),
    asked_by: event.sender.name,
    accepted_at: iso(acceptedAtMs),
    updated_at: iso(updatedAtMs),
  };
}
