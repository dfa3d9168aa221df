import process from "node:process";
import { type Command, InvalidArgumentError } from "commander";
import { EXIT, type Terminal } from "./terminal.ts";

interface ServeOptions {
  port?: number;
  host?: string;
  config?: string;
  dataDir?: string;
}

export function addServe(program: Command, terminal: Terminal): void {
  program
    .command("serve")
    .description("run the gateway until SIGTERM or Ctrl-C")
    .option(
      "-p, --port <port>",
      "port to listen on, 0 for a free one (default: PARLEY_PORT, or 8080)",
      asPort,
    )
    .option("--host <address>", "address to listen on (default: PARLEY_HOST, or 127.0.0.1)")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--data-dir <folder>", "folder of the database (default: PARLEY_DATA_DIR, or data)")
    .addHelpText("after", "\nExamples:\n  parley serve\n  PARLEY_HOST=0.0.0.0 parley serve --port 80")
    .action(async (options: ServeOptions) => {
      // Only now: no other command needs the platforms' clients in memory.
      const { serve } = await import("../main.ts");
      const code = await serve(options).catch((error: unknown) => {
        terminal.talk(`parley: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        return EXIT.failed;
      });
      // A gateway that failed half-way may have left a thread that would keep the process.
      process.exit(code);
    });
}

function asPort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a port from 0 to 65535.");
}
