import type { Command } from "commander";
import type { LimitsView } from "../admin/controls.ts";
import { LIMIT_SCOPES, type LimitValue } from "../domain/controls.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}

const PATH = "/limits";

export function addLimits(program: Command, terminal: Terminal): void {
  const group = program.command("limits");
  const say = (view: LimitsView, { json }: Options) =>
    terminal.out(json ? `${inert(JSON.stringify(view, null, 2))}\n` : describe(view));

  withUrl(group.command("show").alias("list").description("say all limits, and who has set them"))
    .option("--json", "print them as JSON")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      say(await createClient(terminal, options).json<LimitsView>(PATH), options);
    });
  withUrl(group.command("set <scope> <limit>"))
    .description(
      "set one: MESSAGES/SECONDS, off, or configured; scopes are user, conversation, tenant, global",
    )
    .option("--json", "print all limits then as JSON")
    .addHelpText("after", HELP)
    .action(async (scope: string, limit: string, options: Options) => {
      const body = { [scopeOf(scope)]: limitOf(limit) };
      const init = { ...jsonBody(body), method: "PUT" };
      say(await createClient(terminal, options).json<LimitsView>(PATH, init), options);
    });
}

const HELP = `
They hold for all replicas within two seconds, and over restarts, until they are \`configured\` again (limits in gateway.yaml).
${TOKEN_HELP}

Examples:
  parley limits show
  parley limits set user 5/60
  parley limits set global off
  parley limits set user configured`;

function scopeOf(given: string): string {
  if ((LIMIT_SCOPES as readonly string[]).includes(given)) return given;
  throw new CommandError(EXIT.usage, `scope: expected one of ${LIMIT_SCOPES.join(", ")}, got ${given}`);
}

/** Null: as configured. */
function limitOf(given: string): LimitValue | null {
  if (given === "off") return given;
  if (given === "configured") return null;
  const [, messages, seconds] = /^(\d+)\/(\d+)$/.exec(given) ?? [];
  if (messages === undefined || seconds === undefined)
    throw new CommandError(EXIT.usage, `limit: expected MESSAGES/SECONDS, off or configured, got ${given}`);
  return { messages: Number(messages), per_seconds: Number(seconds) };
}

function describe(view: LimitsView): string {
  const lines = LIMIT_SCOPES.map((scope) => {
    const { limit, configured, set } = view[scope];
    const why =
      set === null ? "as configured" : `set at ${set.since} by ${set.by}; configured: ${words(configured)}`;
    return printable(`${scope}: ${words(limit)}, ${why}`);
  });
  return `${lines.join("\n")}\n`;
}

function words(limit: LimitValue): string {
  if (limit === "off") return "off";
  const { messages, per_seconds, burst } = limit;
  return `${messages} in ${per_seconds} s${burst === undefined ? "" : ` (${burst} at once)`}`;
}
