import { z } from "zod";

/** What can become of an event, as it happens. */
export const LIFE_STATES = [
  "accepted",
  "duplicate",
  "refused",
  "claimed",
  "deferred",
  "retrying",
  "parked",
  "done",
  "dropped",
  "dead",
  "merged",
  "replayed",
] as const;
export type LifeState = (typeof LIFE_STATES)[number];

/** One change in the life of an event. Never message text: it goes over the bus to every replica. */
export const lifeSchema = z.object({
  at: z.iso.datetime(),
  // A replica of a newer version may say more than this one knows.
  state: z.string().describe(`${LIFE_STATES.join(", ")}; later versions may say more`),
  id: z.string(),
  platform: z.string(),
  tenant: z
    .string()
    .nullable()
    .default(null)
    .describe("The workspace, as in events; null where a replica of an older version says it."),
  conversation: z.string(),
  attempt: z.int().nullable().describe("Counts from 1; null before the first claim."),
  detail: z.string().nullable().describe("Why, how it ended, or who did it."),
});
export type Life = z.output<typeof lifeSchema>;
