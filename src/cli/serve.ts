import process from "node:process";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ROLES } from "../config/environment.ts";
import { PROCESSES_MAX } from "../config/variables.ts";
import { EXIT } from "../shared/exit.ts";
import { storyOf } from "../shared/fault.ts";
import type { Terminal } from "./terminal.ts";

interface ServeOptions {
  port?: number;
  host?: string;
  config?: string;
  dataDir?: string;
  role?: string;
  processes?: number;
}

export function addServe(program: Command, terminal: Terminal): void {
  program
    .command("serve")
    .option(
      "-p, --port <port>",
      "port to listen on, 0 for a free one (default: PARLEY_PORT, or 8080)",
      asPort,
    )
    .option("--host <address>", "address to listen on (default: PARLEY_HOST, or 127.0.0.1)")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--data-dir <folder>", "folder of the database or the spool (default: PARLEY_DATA_DIR, or data)")
    .addOption(
      new Option(
        "--role <role>",
        "what this replica does: take webhooks, run agents, or both; needs REDIS_URL (default: PARLEY_ROLE, or all)",
      ).choices(ROLES),
    )
    .option(
      "--processes <n>",
      "processes on this machine, for more than one core; needs REDIS_URL (default: PARLEY_PROCESSES, or 1)",
      asProcesses,
    )
    .addHelpText(
      "after",
      `
Examples:
  parley serve
  PARLEY_HOST=0.0.0.0 parley serve --port 80
  REDIS_URL=redis://127.0.0.1:6379 parley serve --processes 4
  REDIS_URL=redis://127.0.0.1:6379 parley serve --role worker --port 8081`,
    )
    .action(async (options: ServeOptions) => {
      // Only now: no other command needs the platforms' clients in memory.
      const { serve } = await import("../main.ts");
      const code = await serve(options).catch((error: unknown) => {
        terminal.talk(`parley: ${storyOf(error)}\n`);
        return EXIT.failed;
      });
      // A gateway that failed half-way may have left a thread that would keep the process.
      process.exit(code);
    });
}

function asProcesses(value: string): number {
  const processes = Number(value);
  if (/^\d{1,2}$/.test(value) && processes >= 1 && processes <= PROCESSES_MAX) return processes;
  throw new InvalidArgumentError(`Expected a number from 1 to ${PROCESSES_MAX}.`);
}

function asPort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a port from 0 to 65535.");
}
