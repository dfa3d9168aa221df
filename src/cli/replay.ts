import type { Command } from "commander";
import type { EventDetail } from "../admin/schemas.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { AN_EVENT } from "./examples.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

export function addReplay(program: Command, terminal: Terminal, settle: Settle): void {
  withUrl(program.command("replay <id>"))
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer of the gateway")
    .addHelpText("after", HELP)
    .action(async (id: string, options: { url?: string; yes?: true; json?: true }) => {
      const client = createClient(terminal, options);
      const path = `/events/${encodeURIComponent(id)}`;
      if (!options.yes) {
        if (terminal.confirm === undefined)
          throw new CommandError(EXIT.usage, "expected --yes where nobody can be asked");
        const { state, sender } = await client.json<EventDetail>(path);
        const question = `Run again what ${printable(sender.name)} said (it is ${printable(state)})? The answer is said again, too.`;
        if (!(await terminal.confirm(question))) {
          terminal.talk("Nothing was done.\n");
          return settle(EXIT.failed);
        }
      }
      const answer = await client.json<object>(`${path}/replay`, { method: "POST" });
      if (options.json) terminal.out(`${inert(JSON.stringify(answer))}\n`);
      terminal.talk(
        `It waits for its new run; parley events show ${printable(id)} says what became of it.\n`,
      );
    });
}

const HELP = `
The event keeps its id and its conversation, and comes after what waits there already. Its answer is said
whatever was said before. For what could not be answered, parley dead replay is the better way: it says only
what was not said.
${TOKEN_HELP}

Examples:
  parley replay ${AN_EVENT}
  parley replay --yes ${AN_EVENT}`;
