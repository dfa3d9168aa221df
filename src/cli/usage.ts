import type { Command } from "commander";
import type { Usage } from "../admin/usage.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { inert, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

const ASKED = ["day", "user", "conversation", "tenant", "agent", "model"] as const;
type Options = { url?: string; json?: true } & Partial<Record<(typeof ASKED)[number], string>>;

export function addUsage(program: Command, terminal: Terminal): void {
  withUrl(program.command("usage"))
    .option("--day <day>", "of this day, as 2026-11-29; today when absent")
    .option("--user <id>", "also of this person: platform:workspace:id")
    .option("--conversation <key>", "also of this conversation")
    .option("--tenant <id>", "also of this workspace: platform:id")
    .option("--agent <name>", "also of this agent")
    .option("--model <name>", "also of this model: provider/name")
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      const asked = ASKED.flatMap((name): [string, string][] => {
        const value = options[name];
        return value === undefined ? [] : [[name, value]];
      });
      const query = new URLSearchParams(asked).toString();
      const usage = await createClient(terminal, options).json<Usage>(`/usage${query && `?${query}`}`);
      terminal.out(options.json ? `${inert(JSON.stringify(usage, null, 2))}\n` : describe(usage));
    });
}

const HELP = `
Cents are US cents. What is held is the most that calls in progress, and calls that broke off, can have cost: it counts
as spent until their cost is known. Calls of free models are not counted, nor one person, conversation, workspace or
agent without a budget of its own; each model is.
${TOKEN_HELP}

Examples:
  parley usage
  parley usage --day 2026-11-29 --json
  parley usage --user ${A_PLATFORM}:T024BE7LD:U061F7AUR`;

type Figures = Usage["total"];

function describe({ day, time_zone, total, by }: Usage): string {
  const lines = [
    `${day} (${time_zone})`,
    line("everyone", total),
    ...by.map(({ scope, id, ...figures }) => line(`${scope} ${id}`, figures)),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

function line(
  whose: string,
  { cost_cents, held_cents, limit_cents, model_calls, ...tokens }: Figures,
): string {
  const budget = limit_cents === null ? "without a budget" : `of ${amount(limit_cents)}`;
  const held = held_cents === 0 ? "" : `, ${amount(held_cents)} held`;
  const calls = `${model_calls} call${model_calls === 1 ? "" : "s"}`;
  return `${whose}: ${amount(cost_cents)} cents ${budget}${held}; ${calls}, ${tokens.input_tokens} tokens in, ${tokens.output_tokens} out`;
}

function amount(cents: number): string {
  return String(Math.round(cents * 10_000) / 10_000);
}
