import { z } from "zod";
import type { NoticeDesk } from "../ports/notices.ts";
import type { Logger } from "../telemetry/log.ts";
import { noQuery } from "./requests.ts";
import { type ApiResponse, problem, unavailable } from "./responses.ts";

export interface NotifyDeps {
  readonly notices: NoticeDesk;
  readonly log: Logger;
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
}

const TEXT_CHARS_MAX = 20_000;

export const notifyBody = z.strictObject({
  text: z
    .string()
    .min(1)
    .max(TEXT_CHARS_MAX)
    .refine((text) => text.trim() !== "", { error: "expected words, got none" })
    .describe("Markdown, as answers are."),
  to: z
    .string()
    .min(1)
    .max(2_000)
    .optional()
    .describe(
      "The name of a place of `notify` (GET /api/v1/hooks lists them), or the key of a conversation: platform, workspace, channel and thread with colons between. Absent: the only place of `notify`.",
    ),
  key: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Of this text: asked for again within a week, it is not said again."),
});

export const noticeSchema = z.object({
  status: z.enum(["said", "said_before"]).describe("`said_before`: by this key, and not again."),
  to: z.string().describe("The place, as it was asked for; its name where none was."),
  by: z.string(),
});
export type NoticeView = z.infer<typeof noticeSchema>;

/** Those of OPERATIONS by which an operator says something. */
export const NOTIFY_OPERATIONS = {
  notify: {
    method: "post",
    path: "/notify",
    summary: "Say a text in a place of `notify`, or in a conversation, now",
    query: noQuery,
    body: notifyBody,
    answer: { status: 200, type: "application/json", schemas: ["Notice"], what: "It was said." },
    problems: [400, 409, 413, 415, 422, 503],
  },
} as const;

export async function notify(
  order: z.output<typeof notifyBody>,
  by: string,
  { notices, log, stopping }: NotifyDeps,
): Promise<ApiResponse> {
  const end = await notices.say(order, stopping);
  switch (end.kind) {
    case "said":
    case "said_before":
      log.info({ to: end.to, by, outcome: end.kind, chars: order.text.length }, "notice.said");
      return { status: 200, body: { status: end.kind, to: end.to, by } };
    case "wrong":
      return problem(400, end.message);
    case "conflict":
      return problem(409, end.message);
    case "refused":
      return problem(422, end.message);
    case "away":
      return unavailable(end.message);
  }
}
