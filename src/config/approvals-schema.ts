import { z } from "zod";

const APPROVER = /^[a-z]+:[^:\s]+(:[^:\s]+)?$/;

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
    approvers: z
      .union([
        z.literal("any"),
        z.array(z.string().regex(APPROVER, "expected platform:id or platform:tenant:id")).min(1).max(1_000),
      ])
      .default("any")
      .describe(
        "Who may decide: `any` who may use the bot there, or people as platform:id or platform:tenant:id.",
      ),
    self_approval: z
      .boolean()
      .optional()
      .describe(
        "Whether whoever asked may decide as well. Where nothing is said: not on tools that need an approval by configuration.",
      ),
  })
  .prefault({});
