import { type Command, InvalidArgumentError, Option } from "commander";
import type { AuditVerifiedView } from "../admin/audit.ts";
import { AUDIT_ROLES, type AuditEntry, type AuditPlace } from "../domain/audit.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, queryOf, TOKEN_HELP, withUrl } from "./client.ts";
import { asCount, fetchPages, printList } from "./pages.ts";
import { inert, printable } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface ListOptions {
  readonly url?: string;
  readonly actor?: string;
  readonly role?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly json?: true;
}

interface VerifyOptions {
  readonly url?: string;
  readonly known?: AuditPlace;
  readonly data?: string;
  readonly json?: true;
}

export function addAudit(program: Command, terminal: Terminal): void {
  const group = program.command("audit").addHelpText("after", TOKEN_HELP);

  withUrl(group.command("list").description("list entries, newest first"))
    .option("--actor <name>", "an operator, a person as platform:tenant:id, or gateway")
    .addOption(new Option("--role <role>", "who did it").choices(AUDIT_ROLES))
    .option("--action <action>", "exactly this, such as kill_switch.set")
    .option("--subject <subject>", "what it was done to")
    .option("--since <time>", "done at or after: an ISO time, or a span such as 2h or 7d")
    .option("--until <time>", "done before")
    .option("-n, --limit <count>", "show so many at most", asCount, 50)
    .option("--json", "print them as JSON")
    .addHelpText("after", LIST_HELP)
    .action(async ({ limit, json, url, ...filter }: ListOptions) => {
      const client = createClient(terminal, { ...(url !== undefined && { url }) });
      const list = { path: "/audit", name: "entries", from: "cursor" } as const;
      const found = await fetchPages<AuditEntry>(client, list, { ...filter }, limit);
      const none = "The audit has no such entry.";
      printList(found, auditTable, terminal, { isJson: json === true, none });
    });

  withUrl(group.command("verify").description("look whether every entry is as it was written"))
    .option("--known <seq:hash>", "an entry that was noted elsewhere, and is to have this hash", asPlace)
    .option("--data <folder>", "of this data folder, whose gateway is stopped, instead of asking one")
    .option("--json", "print what was found as JSON")
    .addHelpText("after", VERIFY_HELP)
    .action(async (options: VerifyOptions) => {
      const found = await verified(options, terminal);
      terminal.out(options.json ? `${inert(JSON.stringify(found, null, 2))}\n` : describe(found));
      if (!found.ok)
        throw new CommandError(
          EXIT.failed,
          options.json ? "" : `the audit was tampered with: ${printable(found.fault?.message ?? "")}`,
        );
    });
}

const LIST_HELP = `
Examples:
  parley audit list
  parley audit list --action kill_switch.set --since 7d
  parley audit list --role stranger --json`;

const VERIFY_HELP = `
Each entry has the hash of the one before in its own. Exit code 0: all are as they were written; 1: the first that is not is
named. Whoever can write to the store can write all of it anew: note seq and hash of the last entry elsewhere (they are in
the log, too), and give them with --known.

Examples:
  parley audit verify
  parley audit verify --known 412:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  parley audit verify --data /var/lib/parley --json`;

async function verified({ url, known, data }: VerifyOptions, terminal: Terminal): Promise<AuditVerifiedView> {
  if (data !== undefined) {
    const { verifyFolder } = await import("./audit-folder.ts");
    return await verifyFolder(data, known, terminal);
  }
  const client = createClient(terminal, { ...(url !== undefined && { url }) });
  return await client.json<AuditVerifiedView>(`/audit/verify${queryOf({ ...known })}`);
}

function describe({ entries, first, last, fault }: AuditVerifiedView): string {
  const what =
    entries === 0
      ? "no entries"
      : entries === 1
        ? "1 entry"
        : `${entries} entries, ${first.seq + 1} to ${last.seq}`;
  const found = fault === null ? "all as they were written" : `the first that is not as it was: ${fault.seq}`;
  return `${what}: ${printable(found)}\n${last.seq === 0 ? "" : `last: ${last.seq}:${printable(last.hash)}\n`}`;
}

function auditTable(entries: readonly AuditEntry[]): string {
  return table(
    { cells: ["SEQ", "AT", "ROLE", "ACTION"], story: "ACTOR AND SUBJECT", id: "HASH" },
    entries.map(({ seq, at, role, action, actor, subject, hash }) => ({
      cells: [String(seq), at.slice(0, 19), role, action],
      story: `${actor}: ${subject}`,
      id: hash.slice(0, 8),
    })),
  );
}

function asPlace(text: string): AuditPlace {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new InvalidArgumentError("Expected the number of an entry, a colon, and the 64 digits of its hash.");
}
