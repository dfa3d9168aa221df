import type { Command } from "commander";
import type { ReplicasView } from "../admin/replicas.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { inert } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export function addReplicas(program: Command, terminal: Terminal): void {
  const group = program.command("replicas").addHelpText("after", HELP);
  // As other lists are called; there is nothing else to do with them.
  withUrl(group.command("list", { isDefault: true }).description("list them, as without a word behind it"))
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (options: { url?: string; json?: true }) => {
      const view = await createClient(terminal, options).json<ReplicasView>("/replicas");
      terminal.out(options.json ? `${inert(JSON.stringify(view, null, 2))}\n` : describe(view));
    });
}

const HELP = `
Each says every 30 seconds that it is there, and leaves the list when it ends in order; one that was killed stays in it for an
hour. After an upgrade or a change of the configuration, all of them should show the same VERSION and CONFIGURATION.
${TOKEN_HELP}

Examples:
  parley replicas
  parley replicas --json`;

function describe({ replicas }: ReplicasView): string {
  return table(
    { cells: ["ROLE", "VERSION", "CONFIGURATION", "STARTED", "LAST SEEN"], story: "WHERE", id: "ID" },
    replicas.map(({ id, host, pid, role, version, configuration, started_at, last_seen }) => ({
      cells: [role, version, configuration, started_at, last_seen],
      story: `${host}, process ${pid}`,
      id,
    })),
  );
}
