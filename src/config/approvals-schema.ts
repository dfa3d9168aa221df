import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import { closest } from "./closest.ts";

const APPROVER = /^([a-z]+):(?:role:[^:\s]+:[^:\s]+|(?!role:)[^:\s]+(?::[^:\s]+)?)$/;

/** `platform:id`, `platform:tenant:id`, or a role. */
export const approver = z.string().superRefine((text, context) => {
  const platform = APPROVER.exec(text)?.[1];
  if (platform === undefined) {
    const message = "expected platform:id, platform:tenant:id or platform:role:tenant:id";
    context.addIssue({ code: "custom", message });
  } else if (!PLATFORMS.some((one) => one === platform)) {
    const near = closest(platform, PLATFORMS);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    context.addIssue({
      code: "custom",
      message: `expected one of ${PLATFORMS.join(", ")} before the colon${hint}`,
    });
  }
});

const id = z.union([z.string().min(1).max(200), z.int()]).transform(String);
const place = z.strictObject({
  platform: z.enum(PLATFORMS).describe("One on which a bot may speak first."),
  tenant: id
    .optional()
    .describe(
      "As in a conversation's key: workspace, server, or the id of the bot. Default: that of whoever asks, or the only one.",
    ),
  channel: id.describe("Where the question is said, and decided by whoever may use the bot there."),
  thread: id.optional().describe("In this thread or topic of it."),
});

const PLACE_WORDS =
  "expected conversation, or a place: { platform, channel }, with a tenant and a thread where needed";
const placed = z.union([z.literal("conversation"), place], { error: PLACE_WORDS });
const decidedBy = z.union([z.literal("any"), z.array(approver).min(1).max(1_000)]);

/** Of one tool, in place of what the agent has for all. */
export const toolApprovals = z
  .strictObject({ approvers: decidedBy.optional(), place: placed.optional() })
  .optional()
  .describe("Who decides on this tool, and where, in place of `approvals` of the agent.");

/** Who decides what an agent asks before it uses a tool that needs it, and within what time. */
export const approvals = z
  .strictObject({
    expires_seconds: z
      .int()
      .min(1)
      .max(7 * 86_400)
      .default(300)
      .describe(
        "How long somebody has to decide; then it is not done. Answers to some commands can be sent for 15 minutes only.",
      ),
    approvers: decidedBy
      .default("any")
      .describe(
        "Who may decide: `any` who may use the bot there, or people as platform:id or platform:tenant:id, and roles as platform:role:tenant:id.",
      ),
    min_approvers: z
      .int()
      .min(1)
      .max(10)
      .default(1)
      .describe("So many people must approve; each counts once, and one who denies decides."),
    place: placed
      .default("conversation")
      .describe(
        "Where it is asked and decided: in the conversation, or in a place of its own, as { platform, channel }; the conversation is told that it waits.",
      ),
    remember_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(0)
      .describe(
        "How long whoever approves may let the tool be used in the conversation without asking (`Always here`); 0: that is not offered.",
      ),
    self_approval: z
      .boolean()
      .optional()
      .describe(
        "Whether whoever asked may decide as well. Where nothing is said: not on tools that need an approval by configuration.",
      ),
  })
  .prefault({});
