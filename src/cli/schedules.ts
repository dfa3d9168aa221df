import type { Command } from "commander";
import type { SchedulesView } from "../admin/schedules.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { inert } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export function addSchedules(program: Command, terminal: Terminal): void {
  const group = program.command("schedules").addHelpText("after", HELP);

  withUrl(group.command("list").description("list them: when each is due next, and when it was fired last"))
    .option("--json", "print it as JSON")
    .action(async (options: { url?: string; json?: true }) => {
      const view = await createClient(terminal, options).json<SchedulesView>("/schedules");
      if (options.json) terminal.out(`${inert(JSON.stringify(view, null, 2))}\n`);
      else terminal.out(view.schedules.length === 0 ? NONE : describe(view));
    });
}

const NONE = "no schedules are configured; docs/schedules.md has an example\n";

function describe({ schedules }: SchedulesView): string {
  return table(
    { cells: ["NEXT DUE", "LAST FIRED", "MISSED", "AGENT"], story: "WHEN AND WHERE", id: "NAME" },
    schedules.map((one) => ({
      cells: [nextOf(one), one.last_fired_at ?? "never", one.missed, one.agent],
      story: storyOf(one),
      id: one.name,
    })),
    { isWhole: true },
  );
}

function nextOf({ enabled, paused, next_due_at }: SchedulesView["schedules"][number]): string {
  // A gateway of an older version says nothing of it, and knows none that is off.
  if (enabled === false) return "off";
  return paused ? "paused" : (next_due_at ?? "never again");
}

function storyOf({ cron, time_zone, conversation, last_outcome }: SchedulesView["schedules"][number]) {
  const last = last_outcome === null || last_outcome === "fired" ? "" : `; ${LEFT_OUT[last_outcome]}`;
  return `${cron} ${time_zone} in ${conversation}${last}`;
}

const LEFT_OUT = {
  skipped: "the last turn was skipped",
  off: "the last turn was left out: it was off",
  paused: "the last turn was left out: it was paused",
  platform_off: "the last turn was left out: its platform is off",
} as const;

const HELP = `
Times are in UTC, the fields of cron in the time zone of the schedule. While the kill switch is on, for all, its agent or its
platform, a schedule is paused: turns are left out, and not made up for.
${TOKEN_HELP}

Examples:
  parley schedules list
  parley schedules list --json`;
