import type { Command } from "commander";
import type { ConversationView, ErasureView, Transcript } from "../admin/conversations.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, jsonBody, queryOf, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { asCount, fetchPages, printList } from "./pages.ts";
import { ageOf, inert, printable } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}
interface EraseOptions extends Options {
  readonly user: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

/** A large store is looked through several times. */
const ERASE_MS = 600_000;
const A_USER = `${A_PLATFORM}:T024BE7LD:U061F7AUR`;

export function addConversations(program: Command, terminal: Terminal, settle: Settle): void {
  const conversations = program.command("conversations").addHelpText("after", TOKEN_HELP);

  withUrl(conversations.command("list").description("list conversations, those heard of last first"))
    .option("-n, --limit <count>", "show so many at most", asCount, 50)
    .option("--json", "print them as JSON")
    .addHelpText("after", "\nExample:\n  parley conversations list --json")
    .action(async ({ limit, json, ...options }: Options & { limit: number }) => {
      const list = { path: "/conversations", name: "conversations", from: "cursor" } as const;
      const found = await fetchPages<ConversationView>(createClient(terminal, options), list, {}, limit);
      printList(found, conversationsTable, terminal, { isJson: json === true, none: "No conversations." });
    });

  withUrl(conversations.command("show <id>").description("print what is remembered of one, oldest first"))
    .option("-n, --limit <count>", "so many turns at most, the newest", asCount, 1_000)
    .option("--json", "print it as JSON")
    .addHelpText("after", `\nExample:\n  parley conversations show ${A_PLATFORM}:T024BE7LD:C0LAN2Q65`)
    .action(async (id: string, { limit, json, ...options }: Options & { limit: number }) => {
      const path = `/conversations/${encodeURIComponent(id)}${queryOf({ limit })}`;
      const transcript = await createClient(terminal, options).json<Transcript>(path);
      if (json) terminal.out(`${inert(JSON.stringify(transcript, null, 2))}\n`);
      else for (const turn of transcript.turns) terminal.out(`${turnLine(turn)}\n`);
      if (transcript.turns.length === 0) terminal.talk("Nothing is remembered of it.\n");
    });

  withUrl(
    conversations.command("export").description("print all that is kept of a person, a line of JSON each"),
  )
    .requiredOption("--user <id>", "the person: platform:workspace:id")
    .option("--no-files", "without what their files hold")
    .option("--json", "print one list instead of lines")
    .addHelpText("after", `\nExample:\n  parley conversations export --user ${A_USER} > person.jsonl`)
    .action(async ({ user, files, json, ...options }: Options & { user: string; files: boolean }) => {
      const signal = terminal.interrupted?.() ?? new AbortController().signal;
      const path = `/conversations/export${queryOf({ user, files: String(files) })}`;
      const all: string[] = [];
      let count = 0;
      for await (const line of createClient(terminal, options).lines(path, { signal })) {
        count++;
        if (json) all.push(inert(line));
        else terminal.out(`${inert(line)}\n`);
      }
      if (json) terminal.out(`[${all.join(",\n")}]\n`);
      if (count === 0) terminal.talk(`Nothing is kept of ${printable(user)}.\n`);
    });

  withUrl(
    conversations.command("erase").description("delete all that a person wrote and was answered, everywhere"),
  )
    .requiredOption("--user <id>", "the person: platform:workspace:id")
    .option("--dry-run", "say what would go, and do nothing")
    .option("-y, --yes", "do not ask")
    .option("--json", "print what was done as JSON")
    .addHelpText("after", ERASE_HELP)
    .action(async (options: EraseOptions) => settle(await erase(options, terminal)));
}

async function erase(
  { user, dryRun, yes, json, ...options }: EraseOptions,
  terminal: Terminal,
): Promise<number> {
  const { confirm } = terminal;
  const client = createClient(terminal, options);
  if (!dryRun && !yes && confirm === undefined)
    throw new CommandError(EXIT.usage, "expected --yes where nobody can be asked");
  const ask = async (dry_run: boolean) =>
    await client.json<ErasureView>("/conversations/erase", jsonBody({ user, dry_run }), ERASE_MS);
  const print = (done: ErasureView) => {
    if (json) terminal.out(`${inert(JSON.stringify(done, null, 2))}\n`);
    else terminal.talk(storyOf(done));
  };
  if (dryRun) {
    print(await ask(true));
    return EXIT.ok;
  }
  if (!yes && confirm !== undefined) {
    const found = await ask(true);
    terminal.talk(storyOf(found));
    if (!(await confirm(`Erase all of this of ${printable(user)}? It cannot be brought back.`)))
      throw new CommandError(EXIT.failed, "nothing was erased");
  }
  const done = await ask(false);
  print(done);
  return done.complete ? EXIT.ok : EXIT.failed;
}

function storyOf({
  dry_run,
  events,
  turns,
  files,
  others,
  changed,
  in_hand,
  left,
  subject,
  ...rest
}: ErasureView): string {
  const what =
    `${countOf(events, "event")}, ${countOf(turns, "turn")}, ${countOf(files, "file")} and ${countOf(others, "other record")}` +
    ` in ${countOf(rest.conversations, "conversation")}; ${countOf(changed, "record")} of others that repeat or quote them`;
  const lines = [
    dry_run ? `Would erase ${what}.` : `Erased ${what}.`,
    ...(in_hand > 0 && !dry_run
      ? [`${countOf(in_hand, "event")} could not be ended and stayed; erase again when the run is over.`]
      : []),
    ...(in_hand > 0 && dry_run ? [`${countOf(in_hand, "event")} of them would be taken back first.`] : []),
    ...left.map(printable),
    `The log and the audit know this as ${printable(subject)}.`,
  ];
  return `${lines.join("\n")}\n`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function conversationsTable(items: readonly ConversationView[], nowMs: number): string {
  const rows = items.map(({ id, seen_at, turns }) => ({
    cells: [ageOf(seen_at, nowMs), String(turns)],
    story: "",
    id,
  }));
  return table({ cells: ["AGE", "TURNS"], story: "", id: "ID" }, rows);
}

function turnLine({ at, role, name, text }: Transcript["turns"][number]): string {
  const who = { assistant: "(bot)", summary: "(summary)", user: name ?? "(context)" }[role];
  return `${at}  ${printable(who)}: ${printable(text)}`;
}

const ERASE_HELP = `
What waits or runs for the person is taken back first. What others wrote stays; what the bot repeated of the person, and
what was quoted of them, is replaced by [removed]. Copies that were made before (backups) are not touched.
Ends with 0 when nothing is left, and with 1 when something is, which it names.
${TOKEN_HELP}

Examples:
  parley conversations erase --user ${A_USER} --dry-run
  parley conversations erase --user ${A_USER} --yes --json`;
