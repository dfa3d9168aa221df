import type { Command } from "commander";
import type { BreakersView } from "../admin/controls.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { inert } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}

const PATH = "/breakers";

export function addBreakers(program: Command, terminal: Terminal): void {
  const group = program.command("breakers");
  withUrl(group.command("list").description("how calls went on the replica that answers"))
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      const view = await createClient(terminal, options).json<BreakersView>(PATH);
      terminal.out(options.json ? `${inert(JSON.stringify(view, null, 2))}\n` : describe(view));
    });
  withUrl(
    group.command("reset <name>").description("call one again on all replicas, as if nothing had failed"),
  )
    .option("--json", "print the answer as JSON")
    .addHelpText("after", HELP)
    .action(async (name: string, options: Options) => {
      const path = `${PATH}/${encodeURIComponent(name)}/reset`;
      const reset = await createClient(terminal, options).json<object>(path, { method: "POST" });
      terminal.out(options.json ? `${inert(JSON.stringify(reset, null, 2))}\n` : "");
      if (!options.json)
        terminal.talk(inert(`${name} is called again, on all replicas within two seconds\n`));
    });
}

const HELP = `
A breaker opens after ten failures in a row, when half of the calls of a minute failed, or after one refusal (a key that is
not valid). It lets a call through again by itself; what waits behind it runs within a minute.
${TOKEN_HELP}

Examples:
  parley breakers list
  parley breakers reset ${A_PLATFORM}
  parley breakers reset anthropic/claude-sonnet-5`;

function describe({ breakers }: BreakersView): string {
  return table(
    { cells: ["KIND", "STATE", "CALLS", "FAILED", "OPENED", "SINCE"], story: "WHY", id: "NAME" },
    breakers.map(({ kind, name, state, since, calls, failures, opens, code }) => ({
      cells: [kind, state, ...[calls, failures, opens].map(String), since ?? ""],
      story: code ?? "",
      id: name,
    })),
  );
}
