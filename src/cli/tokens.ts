import type { Command } from "commander";
import type { MadeTokenView, RevokedToken, TokensView } from "../admin/tokens.ts";
import { EXIT } from "../shared/exit.ts";
import { spanMs } from "../shared/time.ts";
import { systemClock } from "../system/clock.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { ageOf, inert, printable } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}
interface CreateOptions extends Options {
  readonly tenant: string;
  readonly name?: string;
  readonly expires?: string;
}
interface RevokeOptions extends Options {
  readonly yes?: true;
}

export function addTokens(program: Command, terminal: Terminal): void {
  const tokens = program.command("tokens").addHelpText("after", TOKEN_HELP);

  withUrl(tokens.command("create").description("make one for a workspace, and print it: it is shown once"))
    .requiredOption("--tenant <key>", "for this workspace: platform and id with a colon between")
    .option("--name <words>", "what to call it")
    .option("--expires <span>", "opens nothing after so long: 90d, 12h, 30m; without it, until it is revoked")
    .option("--json", "print all about it as JSON")
    .addHelpText("after", CREATE_HELP)
    .action(async (options: CreateOptions) => create(options, terminal));

  withUrl(tokens.command("list").description("list them, without what opens"))
    .option("--json", "print them as JSON")
    .addHelpText("after", "\nExamples:\n  parley tokens list\n  parley tokens list --json")
    .action(async ({ json, ...options }: Options) => {
      const view = await createClient(terminal, options).json<TokensView>("/tokens");
      if (json) terminal.out(`${inert(JSON.stringify(view, null, 2))}\n`);
      else if (view.tokens.length === 0) terminal.talk("No tokens.\n");
      else terminal.out(tokensTable(view, systemClock.nowMs()));
    });

  withUrl(tokens.command("revoke <id>").description("it opens nothing any more, and what it has opened ends"))
    .option("-y, --yes", "do not ask")
    .option("--json", "print what was done as JSON")
    .addHelpText("after", "\nExample:\n  parley tokens revoke tok_1jf3k2m9q0a1b2c00001 --yes")
    .action(async (id: string, options: RevokeOptions) => revoke(id, options, terminal));
}

const CREATE_HELP = `
Whoever has it reads the events, their live streams and the conversations of that workspace, and nothing else. The token alone
goes to stdout; the gateway keeps a digest of it.

Examples:
  parley tokens create --tenant ${A_PLATFORM}:T024BE7LD --name dashboard --expires 90d
  parley tokens create --tenant ${A_PLATFORM}:T024BE7LD --json`;

async function create(
  { tenant, name, expires, json, ...options }: CreateOptions,
  terminal: Terminal,
): Promise<void> {
  const body = {
    tenant,
    ...(name !== undefined && { name }),
    ...(expires && { expires_seconds: secondsOf(expires) }),
  };
  const made = await createClient(terminal, options).json<MadeTokenView>("/tokens", jsonBody(body));
  if (json) {
    terminal.out(`${inert(JSON.stringify(made, null, 2))}\n`);
    return;
  }
  const until = made.expires_at === null ? "until it is revoked" : `until ${made.expires_at}`;
  terminal.talk(`${made.id} opens ${printable(made.tenant)} ${until}. It is shown here and never again:\n`);
  terminal.out(`${inert(made.token)}\n`);
}

async function revoke(
  id: string,
  { yes, json, ...options }: RevokeOptions,
  terminal: Terminal,
): Promise<void> {
  const { confirm } = terminal;
  const client = createClient(terminal, options);
  if (!yes) {
    if (confirm === undefined)
      throw new CommandError(EXIT.usage, "expected --yes where nobody can be asked, got none");
    if (!(await confirm(`Revoke ${printable(id)}? Whoever uses it is shut out at once.`)))
      throw new CommandError(EXIT.failed, "nothing was revoked");
  }
  const done = await client.json<RevokedToken>(`/tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) terminal.out(`${inert(JSON.stringify(done, null, 2))}\n`);
  else terminal.talk(`${printable(done.id)} of ${printable(done.tenant)} is revoked.\n`);
}

function secondsOf(given: string): number {
  const ms = spanMs(given);
  if (ms === null)
    throw new CommandError(
      EXIT.usage,
      `--expires: expected a span such as 90d, 12h or 30m, got ${printable(given)}`,
    );
  return ms / 1000;
}

function tokensTable({ tokens }: TokensView, nowMs: number): string {
  const rows = tokens.map(({ id, tenant, name, by, created_at, expires_at, expired }) => ({
    cells: [
      ageOf(created_at, nowMs),
      tenant,
      expired ? "expired" : (expires_at?.slice(0, 16) ?? "never"),
      by,
    ],
    story: name,
    id,
  }));
  return table({ cells: ["AGE", "TENANT", "EXPIRES", "BY"], story: "NAME", id: "ID" }, rows);
}
