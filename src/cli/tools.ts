import type { Command } from "commander";
import type { Config } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import type { FoundFile, LeftFile, Tool } from "../ports/tool.ts";
import { EXIT } from "../shared/exit.ts";
import { load } from "./config.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";
import { toolFindings } from "./tool-findings.ts";
import { type AgentTools, withTools } from "./tool-look.ts";
import { addToolStatus } from "./tool-status.ts";

interface Options {
  readonly config?: string;
  readonly agent?: string;
  readonly json?: true;
}

/** All but `status` need no gateway: servers are begun here, and ended again. */
export function addTools(program: Command, terminal: Terminal, settle: Settle): void {
  const tools = program.command("tools");
  const with_ = (command: Command) =>
    command
      .option(
        "-c, --config <folder>",
        "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)",
      )
      .option("--agent <name>", "of this agent alone")
      .option("--json", "print it as JSON");

  with_(tools.command("list").description("list the tools of each agent, as its model sees them"))
    .addHelpText("after", "\nExample:\n  parley tools list --agent ops")
    .action(async (options: Options) => {
      const config = configOf(terminal, options);
      const rows = await withTools(config, agentsOf(config, options), async (all) => all.flatMap(rowsOf));
      if (options.json) terminal.out(`${inert(JSON.stringify(rows, null, 2))}\n`);
      else terminal.out(rows.map(lineOf).join(""));
      if (rows.length === 0) terminal.talk("No agent has tools.\n");
      settle(rows.some((row) => "down" in row) ? EXIT.unreachable : EXIT.ok);
    });

  with_(tools.command("call").description("call one tool with arguments as JSON, and print what it gives"))
    .argument("<name>", "as `tools list` has it: kubectl__get_pods")
    .argument("[arguments]", "as JSON", "{}")
    .option("--yes", "also where a person would have to approve it")
    .addHelpText("after", '\nExample:\n  parley tools call clock \'{"time_zone":"Europe/Berlin"}\'')
    .action(async (name: string, text: string, options: Options & { yes?: true }) => {
      const config = configOf(terminal, options);
      const input = inputOf(text);
      const result = await withTools(config, agentsOf(config, options), async (all) => {
        const { tool, call } = found(name, all);
        if (tool.asks !== undefined && options.yes !== true)
          throw new CommandError(EXIT.usage, `${name} needs an approval; --yes calls it all the same`);
        return await call(tool, input);
      });
      const files = (result.files ?? []).map(shownFile);
      if (options.json) {
        const shown = files.length === 0 ? result : { ...result, files };
        terminal.out(`${inert(JSON.stringify(shown, null, 2))}\n`);
      } else {
        terminal.out(`${inert(result.text)}\n`);
        for (const file of files) terminal.talk(`${printable(fileLine(file))}\n`);
      }
      settle(result.isError ? EXIT.failed : EXIT.ok);
    });

  addToolStatus(tools, terminal);

  with_(tools.command("doctor").description("begin each MCP server, and say whether it can be used"))
    .addHelpText("after", "\nExample:\n  parley tools doctor --json")
    .action(async (options: Options) => {
      const config = configOf(terminal, options);
      const only = new Set(agentsOf(config, options));
      const agents = new Map([...config.agents].filter(([agent]) => only.has(agent)));
      const findings = await toolFindings({ ...config, agents });
      if (options.json) terminal.out(`${inert(JSON.stringify(findings, null, 2))}\n`);
      else
        terminal.out(
          findings.map(({ status, message }) => `${status.padEnd(5)}${printable(message)}\n`).join(""),
        );
      if (findings.length === 0) terminal.talk("No agent has tools.\n");
      settle(findings.some(({ status }) => status === "fail") ? EXIT.failed : EXIT.ok);
    });
}

function configOf(terminal: Terminal, { config }: Options): Config {
  const loaded = load(terminal, config);
  if (!loaded.ok) throw new CommandError(EXIT.config, loaded.problems.map(formatProblem).join("\n"));
  return loaded.config;
}

function agentsOf({ agents }: Config, { agent }: Options): readonly string[] {
  if (agent === undefined) return [...agents.keys()];
  if (agents.has(agent)) return [agent];
  throw new CommandError(
    EXIT.usage,
    `Expected one of these agents: ${[...agents.keys()].join(", ")}, got ${agent}`,
  );
}

function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(EXIT.usage, `Expected arguments as JSON, got ${text.slice(0, 60)}`);
  }
}

function found(name: string, all: readonly AgentTools[]): { tool: Tool; call: AgentTools["call"] } {
  for (const agent of all) {
    const tool = agent.tools.find((one) => one.name === name);
    if (tool !== undefined) return { tool, call: (...args) => agent.call(...args) };
  }
  const down = all
    .flatMap(({ servers }) => servers)
    .find((one) => !one.isUp && name.startsWith(`${one.server}__`));
  if (down !== undefined)
    throw new CommandError(EXIT.unreachable, `${down.server} cannot be reached: ${down.reason}`);
  const known = all.flatMap(({ tools }) => tools.map((tool) => tool.name)).join(", ");
  throw new CommandError(EXIT.usage, `Expected one of these tools: ${known || "none"}, got ${name}`);
}

/** Its bytes are for people in a chat. */
function shownFile(file: FoundFile | LeftFile) {
  return "why" in file ? file : { name: file.name, mime: file.mime ?? null, bytes: file.data.length };
}

function fileLine(file: ReturnType<typeof shownFile>): string {
  const what = "why" in file ? `left out: ${file.why}` : `${file.bytes} bytes`;
  return `file ${file.name} (${what}); here it is sent to nobody`;
}

type Row =
  | {
      readonly agent: string;
      readonly name: string;
      readonly effect: Tool["effect"];
      readonly approval: boolean;
      readonly description: string;
    }
  | { readonly agent: string; readonly server: string; readonly down: string };

function rowsOf({ agent, tools, servers }: AgentTools): readonly Row[] {
  return [
    ...tools.map(({ name, effect, asks, description }) => {
      return { agent, name, effect, approval: asks !== undefined, description };
    }),
    ...servers.flatMap(({ server, isUp, reason }) => (isUp ? [] : [{ agent, server, down: reason }])),
  ];
}

const DESCRIPTION_CHARS = 60;

function lineOf(row: Row): string {
  if ("down" in row) return `${printable(`${row.agent}: ${row.server} cannot be reached: ${row.down}`)}\n`;
  const { agent, name, effect, approval, description } = row;
  const words = description.split("\n", 1)[0]?.slice(0, DESCRIPTION_CHARS) ?? "";
  return `${printable(`${agent}: ${name} (${effect}${approval ? ", after an approval" : ""}) ${words}`)}\n`;
}
