import type { Command } from "commander";
import type { InstallationView } from "../admin/installations.ts";
import { PLATFORMS } from "../domain/event.ts";
import { EXIT } from "../shared/exit.ts";
import { oneOfThese } from "./choices.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { asCount, fetchPages, printList } from "./pages.ts";
import { ageOf, inert, printable } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

interface ListOptions {
  readonly url?: string;
  readonly platform?: string;
  readonly check?: true;
  readonly limit: number;
  readonly json?: true;
}

interface RemoveOptions {
  readonly url?: string;
  readonly yes?: true;
  readonly json?: true;
}

export function addInstallations(program: Command, terminal: Terminal, settle: Settle): void {
  const installations = program.command("installations").addHelpText("after", TOKEN_HELP);

  withUrl(installations.command("list").description("list them; no token is shown"))
    .option("--platform <name>", `of this platform: ${PLATFORMS.join(", ")}`)
    .option("--check", "ask the platform about each: 1 when something fails")
    .option("-n, --limit <count>", "show so many at most", asCount, 1_000)
    .option("--json", "print them as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  parley installations list\n  parley installations list --check --json",
    )
    .action(async ({ url, platform, check, limit, json }: ListOptions) => {
      oneOfThese("--platform", platform, PLATFORMS);
      const client = createClient(terminal, { ...(url !== undefined && { url }) });
      const list = { path: "/installations", name: "installations", from: "cursor" } as const;
      const filter = { platform, check: check && "true" };
      const found = await fetchPages<InstallationView>(client, list, filter, limit);
      printList(found, installationsTable, terminal, { isJson: json === true, none: "No installations." });
      const isBad = found.items.some(({ findings = [] }) => findings.some(({ status }) => status === "fail"));
      settle(isBad ? EXIT.failed : EXIT.ok);
    });

  withUrl(installations.command("remove <id>").description("forget one, and end its token at the platform"))
    .option("-y, --yes", "do not ask")
    .option("--json", "print what was done as JSON")
    .addHelpText("after", `\nExample:\n  parley installations remove ${A_PLATFORM}:T024BE7LD`)
    .action(async (id: string, { url, yes, json }: RemoveOptions) => {
      const client = createClient(terminal, { ...(url !== undefined && { url }) });
      if (yes !== true) await confirmed(id, terminal);
      const path = `/installations/${encodeURIComponent(id)}`;
      const done = await client.json<object>(path, { method: "DELETE" });
      if (json) terminal.out(`${inert(JSON.stringify(done, null, 2))}\n`);
      else
        terminal.talk(
          `${printable(id)} is removed; nothing is said there until the app is installed again.\n`,
        );
    });
}

async function confirmed(id: string, { confirm }: Terminal): Promise<void> {
  if (confirm === undefined)
    throw new CommandError(EXIT.usage, "expected --yes where nobody can be asked, got none");
  if (
    !(await confirm(`Remove ${printable(id)}? Nothing can be said there until the app is installed again.`))
  )
    throw new CommandError(EXIT.failed, "nothing was removed");
}

function installationsTable(items: readonly InstallationView[], nowMs: number): string {
  const rows = items.map(({ id, state, name, installed_at, findings = [] }) => {
    const troubles = findings.filter(({ status }) => status !== "ok").map(({ message }) => message);
    return {
      cells: [installed_at === null ? "-" : ageOf(installed_at, nowMs), state, name ?? "-"],
      story: troubles.join("; "),
      id,
    };
  });
  return table({ cells: ["AGE", "STATE", "NAME"], story: "FOUND", id: "ID" }, rows);
}
