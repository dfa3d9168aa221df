import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import { type ScheduleDesk, TURN_OUTCOMES } from "../ports/schedules.ts";
import { iso } from "../shared/time.ts";
import { noQuery } from "./requests.ts";

export interface SchedulesDeps {
  readonly schedules: ScheduleDesk;
}

const time = z.iso.datetime();

export const schedulesSchema = z.object({
  schedules: z
    .array(
      z.object({
        name: z.string(),
        cron: z.string(),
        time_zone: z.string(),
        agent: z.string(),
        platform: z.enum(PLATFORMS),
        tenant: z.string(),
        place: z.string().describe("Channel, chat or phone number."),
        thread: z.string().nullable(),
        conversation: z.string().describe("Its key: platform, workspace, place and thread."),
        missed: z
          .enum(["run_once", "skip"])
          .describe("What was due while no gateway ran: the last of it is run, or none."),
        enabled: z.boolean().describe("false: its turns are left out."),
        paused: z.boolean().describe("By the kill switch: its turns are left out."),
        next_due_at: time.nullable().describe("Null: never again, or not while it is off."),
        last_fired_at: time
          .nullable()
          .describe("When the turn was due that was fired last; null: none is known."),
        last_outcome: z.enum(TURN_OUTCOMES).nullable().describe("Of its last turn; null: there was none."),
      }),
    )
    .describe("As the configuration has them."),
});
export type SchedulesView = z.infer<typeof schedulesSchema>;

/** Those of OPERATIONS that are about schedules. */
export const SCHEDULE_OPERATIONS = {
  listSchedules: {
    method: "get",
    path: "/schedules",
    summary: "Schedules of the configuration: when each is due next, and what became of its last turn",
    query: noQuery,
    answer: { status: 200, type: "application/json", schemas: ["Schedules"], what: "One for each." },
    problems: [400, 503],
  },
} as const;

export async function schedulesView({ schedules }: SchedulesDeps): Promise<SchedulesView> {
  const found = await schedules.list();
  return {
    schedules: found.map(({ timeZone, isEnabled, isPaused, nextDueMs, firedMs, outcome, ...rest }) => ({
      ...rest,
      ...{ time_zone: timeZone, enabled: isEnabled, paused: isPaused },
      next_due_at: nextDueMs === null ? null : iso(nextDueMs),
      last_fired_at: firedMs === null ? null : iso(firedMs),
      last_outcome: outcome,
    })),
  };
}
