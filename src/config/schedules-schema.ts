import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import type { PlatformModule } from "../ports/platform.ts";
import { isTimeZone } from "./budgets-schema.ts";
import { cronFault } from "./cron.ts";
import { agentName } from "./schema-parts.ts";

const id = z.union([z.string().min(1).max(200), z.int()]).transform(String);

const schedule = (speaking: readonly string[]) =>
  z.strictObject({
    name: agentName.describe("Its own: what fired last is remembered by it."),
    enabled: z.boolean().default(true).describe("false: its turns are left out, and not made up for."),
    cron: z
      .string()
      .max(200)
      .superRefine((text, context) => {
        const fault = cronFault(text);
        if (fault !== null) context.addIssue({ code: "custom", message: fault });
      })
      .describe("Five fields: minute, hour, day of the month, month, day of the week."),
    time_zone: z
      .string()
      .max(100)
      .refine(isTimeZone, { error: "expected the name of a time zone such as UTC or Europe/Berlin" })
      .default("UTC")
      .describe(
        "Whose clock that is; where it skips an hour in spring, what is due in it is due right after.",
      ),
    agent: agentName.describe("Name of the agent that answers."),
    to: z.strictObject({
      platform: z.enum(PLATFORMS).refine((name) => speaking.includes(name), {
        error: `expected a platform on which a bot may speak first: ${speaking.join(", ")}`,
      }),
      tenant: id.describe("As in a conversation's key: workspace, server, or the id of the bot."),
      channel: id.describe("Where the answer is said."),
      thread: id.optional().describe("In this thread or topic of it."),
    }),
    text: z.string().min(1).max(10_000).describe("What the agent is asked."),
    missed: z
      .enum(["run_once", "skip"])
      .default("run_once")
      .describe("What was due while no gateway ran: the last of it is run, or none."),
  });

/** Prompts by the clock (docs/schedules.md). */
export const schedulesOf = (modules: readonly PlatformModule[]) =>
  z
    .array(schedule(modules.filter(({ speaksFirst }) => speaksFirst === true).map(({ name }) => name)))
    .max(200)
    .superRefine((all, context) => {
      for (const [i, { name }] of all.entries()) {
        const first = all.findIndex((one) => one.name === name);
        const message = `expected a name of its own, got ${name}, which schedules[${first}] has too`;
        if (first !== i) context.addIssue({ code: "custom", path: [i, "name"], message });
      }
    })
    .default([])
    .describe(
      "What agents are asked by the clock, once however many replicas there are (docs/schedules.md).",
    );

export type ScheduleSpec = z.output<ReturnType<typeof schedule>>;
