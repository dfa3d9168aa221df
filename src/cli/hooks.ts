import type { Command } from "commander";
import type { DeadHookPage, HooksView, HookTrialView, ReplayedHooks } from "../admin/hooks.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, jsonBody, queryOf, TOKEN_HELP, withUrl } from "./client.ts";
import { inert } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}

export function addHooks(program: Command, terminal: Terminal, settle: Settle): void {
  const group = program.command("hooks").addHelpText("after", HELP);
  const print = (value: unknown) => terminal.out(`${inert(JSON.stringify(value, null, 2))}\n`);
  const pathOf = (name: string, action: string) => `/hooks/${encodeURIComponent(name)}/${action}`;

  withUrl(group.command("list").description("list them: how they are, what waits, what was given up"))
    .option("--json", "print it as JSON")
    .action(async (options: Options) => {
      const view = await createClient(terminal, options).json<HooksView>("/hooks");
      if (options.json) print(view);
      else terminal.out(view.hooks.length === 0 ? NONE : describe(view));
    });

  withUrl(
    group.command("dead <name>").description("list messages to a hook that were given up, the latest first"),
  )
    .option("--limit <number>", "so many at most", "50")
    .option("--cursor <next>", "those after a page, as its `next` says")
    .option("--json", "print it as JSON")
    .action(
      async (name: string, { limit, cursor, ...options }: Options & { limit: string; cursor?: string }) => {
        const client = createClient(terminal, options);
        const page = await client.json<DeadHookPage>(pathOf(name, "dead") + queryOf({ limit, cursor }));
        if (options.json) return print(page);
        terminal.out(deadTable(page));
        if (page.next !== null) terminal.talk(`more: --cursor ${inert(page.next)}\n`);
      },
    );

  withUrl(group.command("replay <name> [ids...]").description("send messages that were given up again"))
    .option("--all", "all of them")
    .option("--json", "print it as JSON")
    .action(async (name: string, ids: string[], options: Options & { all?: true }) => {
      if ((ids.length === 0) === (options.all !== true))
        throw new CommandError(EXIT.usage, "expected ids, or --all; got neither, or both");
      const client = createClient(terminal, options);
      const body = ids.length === 0 ? {} : { ids };
      const done = await client.json<ReplayedHooks>(pathOf(name, "replay"), jsonBody(body));
      if (options.json) print(done);
      else terminal.talk(`${done.replayed} on their way to ${inert(name)}\n`);
      if (ids.length > 0 && done.replayed < ids.length) settle(EXIT.failed);
    });

  withUrl(group.command("test <name>").description("send a message of the type hook.test, now and once"))
    .option("--json", "print it as JSON")
    .action(async (name: string, options: Options) => {
      const client = createClient(terminal, options);
      const trial = await client.json<HookTrialView>(pathOf(name, "test"), { method: "POST" });
      if (options.json) print(trial);
      else terminal.out(`${inert(trialText(trial))}\n`);
      if (trial.status !== "delivered") settle(EXIT.failed);
    });
}

const NONE = "no hooks are configured; docs/hooks.md has an example\n";

function describe({ hooks }: HooksView): string {
  return table(
    { cells: ["WAITING", "DEAD", "LAST DELIVERED"], story: "TO", id: "NAME" },
    hooks.map(({ name, to, waiting, dead, last_delivered_at, last_failure }) => ({
      cells: [String(waiting), String(dead), last_delivered_at ?? "never"],
      story: last_failure === null ? to : `${to}: ${last_failure.cause}`,
      id: name,
    })),
  );
}

function deadTable({ deliveries }: DeadHookPage): string {
  return table(
    { cells: ["DIED", "TYPE", "TRIES"], story: "CAUSE", id: "ID" },
    deliveries.map(({ id, type, attempts, cause, died_at }) => ({
      cells: [died_at, type, String(attempts)],
      story: cause,
      id,
    })),
  );
}

function trialText({ name, status, http_status, cause }: HookTrialView): string {
  return status === "delivered"
    ? `${name} took it (${http_status})`
    : `${name} did not take it: ${cause ?? "no answer"}`;
}

const HELP = `
What a hook does not take is sent again at growing intervals, and given up after its \`attempts\`; then it is kept for
retention.dead_seconds, and \`replay\` sends it again, with the same webhook-id.
${TOKEN_HELP}

Examples:
  parley hooks list
  parley hooks test ops
  parley hooks dead ops
  parley hooks replay ops --all`;
