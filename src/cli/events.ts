import type { Command } from "commander";
import type { EventDetail, EventView } from "../admin/schemas.ts";
import { EVENT_STATES } from "../ports/journal.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { describeEvent } from "./describe.ts";
import { A_PLATFORM, AN_EVENT } from "./examples.ts";
import { asCount, fetchPages, printList } from "./pages.ts";
import { ageOf, inert } from "./printable.ts";
import { listRefusals, outcomeOption, type RefusalOptions } from "./refusals.ts";
import { table } from "./table.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface ListOptions extends RefusalOptions {
  readonly url?: string;
  readonly state?: string;
  readonly conversation?: string;
  readonly tenant?: string;
  readonly limit: number;
  readonly json?: true;
}

export function addEvents(program: Command, terminal: Terminal): void {
  const events = program.command("events").addHelpText("after", TOKEN_HELP);

  withUrl(events.command("list").description("list events, the newest first"))
    .option("--state <state>", `in this state: ${EVENT_STATES.join(", ")}`)
    .option("--platform <name>", "of this platform")
    .option("--conversation <key>", "of this conversation")
    .option("--tenant <key>", "of this workspace: platform and id with a colon between")
    .option("--since <time>", "accepted since then: 30m, 2h, 7d, or an ISO time")
    .option("--until <time>", "accepted before then")
    .option("--refused", "list requests that were refused or ignored instead: why was the bot silent?")
    .addOption(outcomeOption())
    .option("-n, --limit <count>", "show so many at most", asCount, 50)
    .option("--json", "print them as JSON")
    .addHelpText(
      "after",
      `\nExamples:\n  parley events list --since 30m\n  parley events list --state retrying --platform ${A_PLATFORM}\n  parley events list --refused --outcome forged,stale --since 1h`,
    )
    .action(async ({ url, limit, json, refused, outcome, ...filter }: ListOptions) => {
      if (refused === undefined && outcome !== undefined)
        throw new CommandError(EXIT.usage, "expected --refused with --outcome, got --outcome alone");
      const client = createClient(terminal, { ...(url !== undefined && { url }) });
      if (refused === true) return await listRefusals(client, { ...filter, outcome, limit, json }, terminal);
      const list = { path: "/events", name: "events", from: "before" } as const;
      const found = await fetchPages<EventView>(client, list, { ...filter }, limit);
      printList(found, eventsTable, terminal, { isJson: json === true, none: "No events match." });
    });

  withUrl(events.command("show <id>").description("show all there is to know of an event"))
    .option("--json", "print it as JSON")
    .addHelpText("after", `\nExample:\n  parley events show ${AN_EVENT}`)
    .action(async (id: string, options: { url?: string; json?: true }) => {
      const client = createClient(terminal, options);
      const event = await client.json<EventDetail>(`/events/${encodeURIComponent(id)}`);
      if (options.json) terminal.out(`${inert(JSON.stringify(event, null, 2))}\n`);
      else terminal.out(describeEvent(event));
    });
}

function eventsTable(events: readonly EventView[], nowMs: number): string {
  const rows = events.map(({ id, state, excerpt, accepted_at }) => ({
    cells: [ageOf(accepted_at, nowMs), state],
    story: excerpt,
    id,
  }));
  return table({ cells: ["AGE", "STATE"], story: "TEXT", id: "ID" }, rows);
}
