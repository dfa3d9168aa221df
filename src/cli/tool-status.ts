import type { Command } from "commander";
import type { ToolsView } from "../admin/tools.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { inert } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly agent?: string;
  readonly begin?: true;
  readonly json?: true;
}

type Entry = ToolsView["tools"][number];

/** Of a running gateway, other than its siblings, which begin servers of their own. */
export function addToolStatus(tools: Command, terminal: Terminal): void {
  withUrl(
    tools.command("status").description("say how the tools of a running gateway are, and how calls went"),
  )
    .option("--agent <name>", "of this agent alone")
    .option("--begin", "have it begin MCP servers that no run has needed yet")
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async ({ agent, begin, json, ...options }: Options) => {
      const query = new URLSearchParams({
        ...(agent !== undefined && { agent }),
        ...(begin === true && { begin: "true" }),
      });
      const view = await createClient(terminal, options).json<ToolsView>(`/tools?${query.toString()}`);
      if (json) terminal.out(`${inert(JSON.stringify(view, null, 2))}\n`);
      else terminal.out(view.tools.length === 0 ? "No agent has tools.\n" : described(view.tools));
    });
}

function described(entries: readonly Entry[]): string {
  return table(
    { cells: ["AGENT", "STATE", "LOST", "OK", "ERRORS", "TIMEOUTS", "UNKNOWN"], story: "WHAT", id: "NAME" },
    entries.flatMap((entry) => [
      rowOf(entry),
      ...entry.tools.filter(({ name }) => name !== entry.name).map((tool) => toolRowOf(entry, tool)),
    ]),
    { isWhole: true },
  );
}

function rowOf({ agent, name, type, to, server, sandboxed, tools }: Entry) {
  const itself = tools.find((tool) => tool.name === name);
  const box = sandboxed === null ? "" : sandboxed ? ", in a sandbox" : ", in no sandbox";
  const why = server?.reason === null || server === null ? "" : `: ${server.reason}`;
  return {
    cells: [agent, server?.state ?? "", server === null ? "" : String(server.failures), ...callsOf(itself)],
    story: `${type} ${to}${box}${itself === undefined ? "" : `, ${accessOf(itself)}`}${why}`,
    id: name,
  };
}

function toolRowOf({ agent }: Entry, tool: Entry["tools"][number]) {
  return { cells: [agent, "", "", ...callsOf(tool)], story: accessOf(tool), id: tool.name };
}

function callsOf(tool: Entry["tools"][number] | undefined): readonly string[] {
  if (tool === undefined) return ["", "", "", ""];
  const { ok, error, timeout, unknown_outcome } = tool.calls;
  return [ok, error, timeout, unknown_outcome].map(String);
}

function accessOf({ effect, approval }: Entry["tools"][number]): string {
  return approval ? `${effect}, after an approval` : effect;
}

const HELP = `
Counts are those of the process that answers, since its start. A server is idle until a run needs it.
${TOKEN_HELP}

Examples:
  parley tools status
  parley tools status --agent ops --begin`;
