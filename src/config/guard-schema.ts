import { z } from "zod";
import { nextModel } from "./model-schema.ts";

/** Of an agent: who looks at calls of tools before they are made. */
export const guard = z
  .strictObject({
    model: nextModel.describe(
      "The model that is asked; another than the agent's own is harder to talk round.",
    ),
    instructions: z
      .string()
      .max(20_000)
      .refine((text) => text.trim() !== "", { error: "expected the policy by which it decides, got nothing" })
      .describe("The policy: which calls may be made, and which not."),
  })
  .optional()
  .describe(
    "A model that is asked before each call of a tool that does more than read, and before any person is. What it does not clearly allow is not done.",
  );
