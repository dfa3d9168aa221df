import type { Clock } from "../../ports/clock.ts";
import type { Tool } from "../../ports/tool.ts";
import { getString } from "../../shared/json.ts";
import { iso } from "../../shared/time.ts";

type Nameless = Omit<Tool, "name">;

/** What time it is, for a model that cannot know. */
export function createTimeTool(clock: Pick<Clock, "nowMs">): Nameless {
  return {
    description: "Says the current date and time, in UTC and in a time zone such as Europe/Berlin.",
    effect: "read",
    repeatable: true,
    inputSchema: {
      type: "object",
      properties: { time_zone: { type: "string", description: "An IANA name; UTC when absent." } },
      additionalProperties: false,
    },
    async call(input) {
      const nowMs = clock.nowMs();
      const timeZone = getString(input, "time_zone") ?? "UTC";
      try {
        const there = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long", timeZone });
        return `${iso(nowMs)}\n${there.format(nowMs)} (${timeZone})`;
      } catch {
        return {
          text: `Expected the name of a time zone, such as Europe/Berlin, got ${timeZone}`,
          isError: true,
        };
      }
    },
  };
}
