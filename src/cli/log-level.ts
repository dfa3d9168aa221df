import type { Command } from "commander";
import type { LogLevelView } from "../admin/controls.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly of?: string;
  readonly json?: true;
}

const PATH = "/log-level";

export function addLogLevel(program: Command, terminal: Terminal): void {
  withUrl(program.command("log-level [level]"))
    .option("--of <part>", "of these lines alone: a platform, or what `msg` begins with, such as store")
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (level: string | undefined, options: Options) => {
      if (level === undefined && options.of !== undefined)
        throw new CommandError(
          EXIT.usage,
          `expected a level with --of ${printable(options.of)}, got none; without both it says what there is`,
        );
      const init = {
        ...jsonBody({ level: level === "configured" ? null : level, of: options.of }),
        method: "PUT",
      };
      const view = await createClient(terminal, options).json<LogLevelView>(
        PATH,
        level === undefined ? {} : init,
      );
      terminal.out(options.json ? `${inert(JSON.stringify(view, null, 2))}\n` : `${describe(view)}\n`);
    });
}

const HELP = `
It holds for all replicas within two seconds, and over restarts, until it is \`configured\` again (PARLEY_LOG_LEVEL, PARLEY_LOG_LEVELS).
A line about a platform (\`platform\`), or whose \`msg\` begins with the word, goes by its own level; of two the one that says more.
${TOKEN_HELP}

Examples:
  parley log-level
  parley log-level debug
  parley log-level debug --of store
  parley log-level error --of hook
  parley log-level configured`;

function describe({ of, ...general }: LogLevelView): string {
  return [oneLevel(general), ...of.map((one) => `${one.name}: ${oneLevel(one)}`)].join("\n");
}

function oneLevel({ level, configured, set }: Omit<LogLevelView["of"][number], "name">): string {
  if (set === null) return `${level}, as configured`;
  return printable(`${level}, set at ${set.since} by ${set.by}; configured: ${configured ?? "as all"}`);
}
