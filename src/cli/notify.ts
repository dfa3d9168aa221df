import { text as textOf } from "node:stream/consumers";
import type { Command } from "commander";
import type { NoticeView } from "../admin/notify.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { inert } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
  readonly to?: string;
  readonly key?: string;
}

export function addNotify(program: Command, terminal: Terminal): void {
  withUrl(program.command("notify <text>"))
    .option("--to <place>", "name of a place of `notify`, or key of a conversation (default: the only place)")
    .option("--key <key>", "said again by the same key within a week, it is said once")
    .option("--json", "print what became of it as JSON")
    .addHelpText("after", HELP)
    .action(async (given: string, { to, key, ...options }: Options) => {
      const text = given === "-" ? await textOf(process.stdin) : given;
      if (text.trim() === "") throw new CommandError(EXIT.usage, "expected a text, got none");
      const client = createClient(terminal, options);
      const said = await client.json<NoticeView>("/notify", jsonBody({ text, to, key }));
      if (options.json) terminal.out(`${inert(JSON.stringify(said, null, 2))}\n`);
      else terminal.talk(`${said.status === "said" ? "said" : "was said before"} in ${inert(said.to)}\n`);
    });
}

const HELP = `
<text> is Markdown; - reads it from stdin. A conversation's key is platform:workspace:channel, with :thread behind it where it
is one, as \`parley conversations list\` has them. \`parley hooks list\` has the names of places of \`notify\`.
Exit codes: 0 said, or said before by this key; 1 not said, or nobody can tell; 2 wrongly asked; 69 no gateway.
${TOKEN_HELP}

Examples:
  parley notify "The night's backup is done."
  parley notify --to ${A_PLATFORM}:T024BE7LD:C061EG9SL --key deploy-417 "Version 417 is out."
  git log -1 --format=%B | parley notify -`;
