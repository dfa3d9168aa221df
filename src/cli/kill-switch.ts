import type { Command } from "commander";
import type { KillSwitchView } from "../admin/kill-switch.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { inert, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
  readonly agent?: string;
  readonly platform?: string;
  readonly reason?: string;
}

const PATH = "/kill-switch";

export function addKillSwitch(program: Command, terminal: Terminal): void {
  const group = program.command("kill-switch");
  const say = (view: KillSwitchView, { json }: Options) =>
    terminal.out(json ? `${inert(JSON.stringify(view, null, 2))}\n` : describe(view));

  for (const [name, on] of [
    ["on", true],
    ["off", false],
  ] as const) {
    const command = group.command(name).description(on ? "pause" : "go on");
    withUrl(command)
      .option("--agent <name>", "this agent alone")
      .option("--platform <name>", "this platform alone")
      .option("--json", "print what is paused then as JSON")
      .addHelpText("after", HELP);
    if (on) command.option("--reason <text>", "for whoever asks why");
    command.action(async (options: Options) => {
      const { agent, platform, reason } = options;
      const init = { ...jsonBody({ on, reason, agent, platform }), method: "PUT" };
      say(await createClient(terminal, options).json<KillSwitchView>(PATH, init), options);
    });
  }
  withUrl(group.command("status").description("say what is paused, since when and by whom"))
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      say(await createClient(terminal, options).json<KillSwitchView>(PATH), options);
    });
}

const HELP = `
It holds for all replicas within two seconds, and over restarts. What waits goes on waiting, and runs when it is off again.
${TOKEN_HELP}

Examples:
  parley kill-switch on --reason "the model says nonsense"
  parley kill-switch on --agent assistant
  parley kill-switch status
  parley kill-switch off`;

function describe({ on, by_configuration, switch: all, agents, platforms }: KillSwitchView): string {
  const lines = [
    on ? "on: everything is paused" : "off",
    ...(by_configuration ? ["by the configuration (kill_switch, PARLEY_KILL_SWITCH)"] : []),
    ...(all === null ? [] : [line("everything", all)]),
    ...agents.map((one) => line(`agent ${one.name}`, one)),
    ...platforms.map((one) => line(`platform ${one.name}`, one)),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

type Thrown = Pick<KillSwitchView["agents"][number], "by" | "since" | "reason">;

function line(what: string, { by, since, reason }: Thrown): string {
  return `${what}: paused since ${since} by ${by}${reason === null ? "" : ` (${reason})`}`;
}
