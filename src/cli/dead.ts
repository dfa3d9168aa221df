import type { Command } from "commander";
import { BULK_IDS_MAX } from "../admin/bounds.ts";
import { LETTER_KINDS, type LetterDetail, type LetterView } from "../admin/schemas.ts";
import { PLATFORMS } from "../domain/event.ts";
import { EXIT } from "../shared/exit.ts";
import { type BulkAction, runBulk } from "./bulk.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { describeEvent } from "./describe.ts";
import { A_PLATFORM, AN_EVENT } from "./examples.ts";
import { asCount, fetchPages, printList } from "./pages.ts";
import { ageOf, inert } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

export interface FilterOptions {
  readonly platform?: string;
  readonly conversation?: string;
  readonly agent?: string;
  readonly kind?: string;
  readonly cause?: string;
  readonly since?: string;
  readonly until?: string;
}

interface ListOptions extends FilterOptions {
  readonly url?: string;
  readonly limit: number;
  readonly json?: true;
}

interface BulkOptions extends FilterOptions {
  readonly url?: string;
  readonly all?: true;
  readonly limit?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

const LETTERS = { path: "/dead", name: "letters", from: "before" } as const;

export function addDead(program: Command, terminal: Terminal, settle: Settle): void {
  const dead = program.command("dead").addHelpText("after", HELP);

  withFilters(withUrl(dead.command("list").description("list dead letters, the newest first")))
    .option("-n, --limit <count>", "show so many at most", asCount, 50)
    .option("--json", "print them as JSON")
    .addHelpText("after", LIST_HELP)
    .action(async ({ url, limit, json, ...filter }: ListOptions) => {
      const client = createClient(terminal, { ...(url !== undefined && { url }) });
      const found = await fetchPages<LetterView>(client, LETTERS, { ...filter }, limit);
      const none = Object.keys(filter).length > 0 ? "No dead letters match." : "No dead letters.";
      printList(found, lettersTable, terminal, { isJson: json === true, none });
    });

  withUrl(dead.command("show <id>").description("show all there is to know of a dead letter"))
    .option("--json", "print it as JSON")
    .addHelpText("after", `\nExample:\n  parley dead show ${AN_EVENT}`)
    .action(async (id: string, options: { url?: string; json?: true }) => {
      const letter = await createClient(terminal, options).json<LetterDetail>(
        `/dead/${encodeURIComponent(id)}`,
      );
      if (options.json) terminal.out(`${inert(JSON.stringify(letter, null, 2))}\n`);
      else terminal.out(describeEvent(letter));
    });

  for (const action of ["replay", "drop"] as const) {
    withFilters(withUrl(dead.command(`${action} [ids...]`).description(DOES[action])))
      .option("--all", "all of them; the filters hold all the same")
      .option("-n, --limit <count>", "so many at most, those that came first", asCount)
      .option("--dry-run", "say what would be done, and do nothing")
      .option("-y, --yes", "do not ask")
      .option("--json", "print a line of JSON for each letter, and one with the totals")
      .addHelpText("after", BULK_HELP[action])
      .action(async (ids: string[], options: BulkOptions) => {
        settle(await runBulk(action, orderOf(ids, options), options, terminal));
      });
  }
}

function withFilters(command: Command): Command {
  return command
    .option("--platform <name>", `of this platform: ${PLATFORMS.join(", ")}`)
    .option("--conversation <key>", "of this conversation")
    .option("--agent <name>", "of this agent")
    .option(
      "--kind <kind>",
      `${LETTER_KINDS.join(" or ")}: without an answer, or with one that could not be said`,
    )
    .option("--cause <text>", "whose cause holds this text")
    .option("--since <time>", "that died since then: 30m, 2h, 7d, or an ISO time")
    .option("--until <time>", "that died before then");
}

/** What to ask for. Nothing at all must never mean everything. */
function orderOf(ids: readonly string[], options: BulkOptions): object {
  const { platform, conversation, agent, kind, cause, since, until, all, limit } = options;
  const filter = { platform, conversation, agent, kind, cause, since, until };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  if (ids.length === 0 && all !== true && !isFiltered)
    throw new CommandError(
      EXIT.usage,
      "expected ids, a filter such as --since 2h, or --all; got none of them",
    );
  if (ids.length > BULK_IDS_MAX)
    throw new CommandError(
      EXIT.usage,
      `expected at most ${BULK_IDS_MAX} ids, got ${ids.length}; use a filter`,
    );
  return { ...filter, ...(ids.length > 0 && { ids }), ...(limit !== undefined && { limit }) };
}

function lettersTable(letters: readonly LetterView[], nowMs: number): string {
  const rows = letters.map(({ id, kind, attempts, cause, updated_at }) => ({
    cells: [ageOf(updated_at, nowMs), kind, String(attempts)],
    story: cause ?? "",
    id,
  }));
  return table({ cells: ["DIED", "KIND", "TRIES"], story: "CAUSE", id: "ID" }, rows);
}

const DOES: Readonly<Record<BulkAction, string>> = {
  replay: "say what was not said, or run anew what has no answer",
  drop: "put dead letters away; they stay in the journal as dropped",
};

const HELP = `
A dead letter is a message that could not be answered. It is of one of two kinds:
  outbound  there is an answer, but the platform did not take it: a replay says it
  inbound   there is no answer: a replay runs the agent anew
What is older than max_age_seconds (a day, unless configured) is not replayed.
${TOKEN_HELP}

Examples:
  parley dead list --since 2h
  parley dead replay --since 2h --platform ${A_PLATFORM} --dry-run
  parley dead replay --all --yes`;

const LIST_HELP = `
Examples:
  parley dead list
  parley dead list --since 2h --platform ${A_PLATFORM} --kind outbound
  parley dead list --cause DELIVERY_REJECTED --json | jq -r '.[].id'`;

const BULK_HELP: Readonly<Record<BulkAction, string>> = {
  replay: `
Ends with 0 when all were replayed, with 1 when some were not, and with 130 after Ctrl-C.

Examples:
  parley dead replay ${AN_EVENT}
  parley dead replay --since 2h --cause MODEL_OVERLOADED --dry-run
  parley dead replay --all --yes`,
  drop: `
Examples:
  parley dead drop ${AN_EVENT}
  parley dead drop --until 7d --yes`,
};
