import { z } from "zod";

/** The option `app`: what `parley setup slack` makes of the app, within Slack's lengths. */
export const appOption = z
  .strictObject({
    name: z.string().min(1).max(35).default("Parley").describe("What the app is called where it is new."),
    description: z.string().min(1).max(140).default("Talk to your team's agents"),
    commands: z
      .array(
        z.strictObject({
          command: z.string().regex(/^\/[\w-]{1,31}$/, "expected / and letters, digits, - or _"),
          description: z.string().min(1).max(2_000),
          usage_hint: z.string().min(1).max(1_000).optional(),
        }),
      )
      .max(50)
      .default([
        {
          command: "/parley",
          description: "Ask, or say status, stop, reset, help",
          usage_hint: "what you want to know",
        },
      ])
      .describe("Slash commands; those that routes and forms name are added."),
    shortcuts: z
      .array(
        z.strictObject({
          id: z.string().min(1).max(255).describe("What its use comes as, for routes and forms."),
          name: z.string().min(1).max(24),
          type: z.enum(["message", "global"]).describe("On a message, or from anywhere."),
          description: z.string().min(1).max(150),
        }),
      )
      .max(10)
      .default([])
      .describe("Shortcuts on messages, or from anywhere."),
  })
  .prefault({})
  .describe("What `parley setup slack` makes of the app.");
