import type { Command } from "commander";
import type { BreakerRulesView, BreakersView } from "../admin/controls.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { inert } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}

interface RuleOptions extends Options {
  readonly failures?: number;
  readonly rate?: number;
  readonly open?: number;
  readonly default?: true;
  readonly dryRun?: true;
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
  withUrl(
    group.command("configure <name>").description("set when one opens, and for how long, on all replicas"),
  )
    .option("--failures <count>", "open after so many failures in a row (10 by default)", Number)
    .option("--rate <share>", "or when this share of the calls of a minute failed (0.5)", Number)
    .option("--open <seconds>", "leave it alone for so long (60)", Number)
    .option("--default", "put back what is not given")
    .option("--dry-run", "say what would hold, and change nothing")
    .option("--json", "print what holds as JSON")
    .addHelpText("after", HELP)
    .action(async (name: string, options: RuleOptions) => {
      const init = { ...jsonBody(changeIn(options)), method: "PUT" };
      const path = `${PATH}/${encodeURIComponent(name)}`;
      const view = await createClient(terminal, options).json<BreakerRulesView>(path, init);
      terminal.out(options.json ? `${inert(JSON.stringify(view, null, 2))}\n` : ruleWords(view));
    });
}

function changeIn({ failures, rate, open, default: isBack, dryRun }: RuleOptions): object {
  const given = { failure_threshold: failures, failure_rate: rate, open_seconds: open };
  const wrong = Object.values(given).find((one) => one !== undefined && !Number.isFinite(one));
  if (wrong !== undefined || (isBack !== true && Object.values(given).every((one) => one === undefined)))
    throw new CommandError(
      EXIT.usage,
      "expected numbers for --failures, --rate or --open, or --default, got none",
    );
  const change = Object.entries(given).map(([key, value]) => [key, value ?? (isBack ? null : undefined)]);
  return { ...Object.fromEntries(change), ...(dryRun && { dry_run: true }) };
}

function ruleWords({ name, failure_threshold, failure_rate, open_seconds, set, dry_run }: BreakerRulesView) {
  const why = dry_run
    ? "nothing was changed"
    : set === null
      ? "as by default"
      : `set at ${set.since} by ${set.by}`;
  return inert(
    `${name}: ${failure_threshold} in a row, or ${failure_rate} of a minute; then open for ${open_seconds} s; ${why}\n`,
  );
}

const HELP = `
A breaker opens after ten failures in a row, when half of the calls of a minute failed (of at least 20), or after one refusal (a
key that is not valid), which is asked again after 15 s. It lets a call through again by itself; what waits behind it runs
within a minute. What is set with \`configure\` holds for all replicas within two seconds, and over restarts.
${TOKEN_HELP}

Examples:
  parley breakers list
  parley breakers reset ${A_PLATFORM}
  parley breakers reset anthropic/claude-sonnet-5
  parley breakers configure anthropic/claude-sonnet-5 --failures 5 --open 30 --dry-run
  parley breakers configure anthropic/claude-sonnet-5 --default`;

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
