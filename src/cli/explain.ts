import type { Command } from "commander";
import type { Explanation } from "../admin/explain.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, Refused, TOKEN_HELP, withUrl } from "./client.ts";
import { AN_EVENT } from "./examples.ts";
import { inert, printable } from "./printable.ts";
import type { Settle, Terminal } from "./terminal.ts";

export function addExplain(program: Command, terminal: Terminal, settle: Settle): void {
  withUrl(program.command("explain <id>"))
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (id: string, options: { url?: string; json?: true }) => {
      const client = createClient(terminal, options);
      try {
        const explanation = await client.json<Explanation>(`/explain/${encodeURIComponent(id)}`);
        if (options.json) terminal.out(`${inert(JSON.stringify(explanation, null, 2))}\n`);
        else terminal.out(describe(explanation));
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 404) throw error;
        terminal.talk(`parley: ${inert(error.message)}\n`);
        settle(EXIT.failed);
      }
    });
}

const HELP = `
An id is the X-Request-Id of an answer, or request_id in the log; the id of an event; or that of a refused request.
Exit code 1: nothing is known of it.
${TOKEN_HELP}

Examples:
  parley explain req_1k2m3n4o5p6q7r8s9t0a
  parley explain ${AN_EVENT} --json`;

function describe({ id, kind, outcome, reason, words }: Explanation): string {
  // An event's is a sentence or more, and stands among the words.
  const isSaid = reason === null || reason === outcome || (kind === "event" && words.includes(reason));
  const why = isSaid ? "" : `: ${reason}`;
  return `${printable(`The ${kind} ${id} is ${outcome}${why}.`)}\n${printable(words)}\n`;
}
