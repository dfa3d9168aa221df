import { type Command, Option } from "commander";
import type { ErasedNotes, NotebookView } from "../admin/notes.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, queryOf, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { asCount, fetchPages, printList } from "./pages.ts";
import { ageOf, inert, printable } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}
interface ListOptions extends Options {
  readonly about?: string;
  readonly owner?: string;
  readonly limit: number;
}
interface EraseOptions extends Options {
  readonly agent?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

const LIST = { path: "/notes", name: "notebooks", from: "cursor" } as const;
const AN_OWNER = `user:${A_PLATFORM}:T024BE7LD:U061F7AUR:open`;

export function addNotes(program: Command, terminal: Terminal): void {
  const notes = program.command("notes").addHelpText("after", TOKEN_HELP);

  withUrl(notes.command("list").description("list notes, by whom or what they are about"))
    .addOption(new Option("--about <what>", "those about people, or channels").choices(["person", "channel"]))
    .option("--owner <key>", "those about this person or channel")
    .option(
      "-n, --limit <count>",
      "so many notebooks at most; each is one agent's about one owner",
      asCount,
      50,
    )
    .option("--json", "print them as JSON")
    .addHelpText(
      "after",
      `\nExamples:\n  parley notes list --about person\n  parley notes list --owner ${A_PLATFORM}:T024BE7LD:C0LAN2Q65 --json`,
    )
    .action(async ({ about, owner, limit, json, ...options }: ListOptions) => {
      const client = createClient(terminal, options);
      const found = await fetchPages<NotebookView>(client, LIST, { about, owner }, limit);
      printList(found, notesTable, terminal, { isJson: json === true, none: "No notes." });
    });

  withUrl(
    notes.command("erase <owner> [note]").description("erase all notes about a person or channel, or one"),
  )
    .option("--agent <name>", "those of this agent alone")
    .option("--dry-run", "say what would go, and do nothing")
    .option("-y, --yes", "do not ask")
    .option("--json", "print what was done as JSON")
    .addHelpText("after", ERASE_HELP)
    .action(async (owner: string, note: string | undefined, options: EraseOptions) =>
      erase({ owner, note }, options, terminal),
    );
}

async function erase(
  { owner, note }: { readonly owner: string; readonly note: string | undefined },
  { agent, dryRun, yes, json, ...options }: EraseOptions,
  terminal: Terminal,
): Promise<void> {
  const { confirm } = terminal;
  const client = createClient(terminal, options);
  if (!dryRun && !yes && confirm === undefined)
    throw new CommandError(EXIT.usage, "expected --yes where nobody can be asked");
  const print = (done: object, words: string) =>
    json ? terminal.out(`${inert(JSON.stringify(done, null, 2))}\n`) : terminal.talk(`${words}\n`);
  const about = `about ${printable(owner)}`;
  if (dryRun || !yes) {
    const { items } = await fetchPages<NotebookView>(client, LIST, { owner }, Number.MAX_SAFE_INTEGER);
    const count = items
      .filter((book) => book.owner === owner && (agent === undefined || book.agent === agent))
      .flatMap(({ notes }) => notes)
      .filter(({ id, text }) => note === undefined || id === note || text === note).length;
    if (dryRun)
      return print({ id: owner, dry_run: true, erased: count }, `Would erase ${countOf(count)} ${about}.`);
    if (count === 0) throw new CommandError(EXIT.failed, `there are no such notes ${about}`);
    if ((await confirm?.(`Erase ${countOf(count)} ${about}? It cannot be brought back.`)) !== true)
      throw new CommandError(EXIT.failed, "nothing was erased");
  }
  const path = `/notes/${encodeURIComponent(owner)}${queryOf({ agent, note })}`;
  const done = await client.json<ErasedNotes>(path, { method: "DELETE" });
  print(done, `Erased ${countOf(done.erased)} ${about}.`);
}

function countOf(count: number): string {
  return count === 1 ? "1 note" : `${count} notes`;
}

function notesTable(books: readonly NotebookView[], nowMs: number): string {
  const rows = books.flatMap(({ owner, agent, notes }) =>
    notes.map(({ id, text, at, by }) => ({
      ...{ cells: [ageOf(at, nowMs), id, agent, by.name], story: text, id: owner },
    })),
  );
  return table({ cells: ["AGE", "NOTE", "AGENT", "BY"], story: "TEXT", id: "OWNER" }, rows);
}

const ERASE_HELP = `
The owner is as \`parley notes list\` has it; what was noted of a person in private and where others read are two owners. The
audit keeps that they were erased, of a person under a keyed hash.

Examples:
  parley notes erase ${AN_OWNER} --dry-run
  parley notes erase ${AN_OWNER} 1a2b3c4d --yes`;
