import type { Command } from "commander";
import type { LogLevelView } from "../admin/controls.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { inert, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}

const PATH = "/log-level";

export function addLogLevel(program: Command, terminal: Terminal): void {
  withUrl(program.command("log-level [level]"))
    .description(
      "say what all replicas log, or log more or less: fatal, error, warn, info, debug, trace, silent",
    )
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (level: string | undefined, options: Options) => {
      const init = { ...jsonBody({ level: level === "configured" ? null : level }), method: "PUT" };
      const view = await createClient(terminal, options).json<LogLevelView>(
        PATH,
        level === undefined ? {} : init,
      );
      terminal.out(options.json ? `${inert(JSON.stringify(view, null, 2))}\n` : `${describe(view)}\n`);
    });
}

const HELP = `
It holds for all replicas within two seconds, and over restarts, until it is \`configured\` again (PARLEY_LOG_LEVEL).
${TOKEN_HELP}

Examples:
  parley log-level
  parley log-level debug
  parley log-level configured`;

function describe({ level, configured, set }: LogLevelView): string {
  if (set === null) return `${level}, as configured`;
  return printable(`${level}, set at ${set.since} by ${set.by}; configured: ${configured}`);
}
