import { resolve } from "node:path";
import type { Command } from "commander";
import type { FinishedPage } from "../admin/maintenance.ts";
import type { Archived } from "../backup/archived.ts";
import type { Finished } from "../ports/upkeep.ts";
import { EXIT } from "../shared/exit.ts";
import { DAY_MS, iso } from "../shared/time.ts";
import { systemClock } from "../system/clock.ts";
import { packageVersion } from "../system/version.ts";
import { configOf, failing } from "./backup.ts";
import { withUrl } from "./client.ts";
import { type Keeper, openKeeper } from "./keeper.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly config?: string;
  readonly json?: true;
}
interface ArchiveOptions extends Options {
  readonly to: string;
  readonly olderThan: string;
  readonly keepDays?: string;
  readonly dead?: true;
  readonly dryRun?: true;
  readonly yes?: true;
}

export function addMaintain(program: Command, terminal: Terminal, settle: Settle): void {
  const group = program.command("maintain").addHelpText("after", HELP);
  const add = (name: string, what: string) =>
    withUrl(group.command(name).description(what))
      .option(
        "-c, --config <folder>",
        "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)",
      )
      .option("--json", "print what was found or done as JSON");
  const keeping = async (options: Options, work: (keeper: Keeper) => Promise<Done>): Promise<void> => {
    const config = configOf(terminal, options.config);
    await using keeper = await openKeeper(config, terminal, options);
    const { result, words } = await work(keeper);
    if (options.json) terminal.out(`${inert(JSON.stringify({ by: keeper.who, ...result }, null, 2))}\n`);
    else terminal.out(`${words}\n`);
  };

  add("check", "read all that is kept, and say what is wrong with it").action(async (options: Options) =>
    keeping(options, async (keeper) => {
      const result = await keeper.check();
      if (!result.whole) settle(EXIT.failed);
      const words = result.whole
        ? `Whole: ${result.events} events, read in ${seconds(result.ms)} s.`
        : `Damaged:\n${result.findings.map((finding) => `  ${printable(finding)}`).join("\n")}\nSee docs/runbooks/corruption.md.`;
      return { result, words };
    }),
  );

  add("vacuum", "give the disk back what deleted rows have left in the database").action(
    async (options: Options) =>
      keeping(options, async (keeper) => {
        const result = await keeper.vacuum();
        const { bytes_before: before, bytes_after: after, longest_ms: longest } = result;
        const words =
          before === null || after === null
            ? "There is nothing to do: Redis keeps no file of Parley's, and gives memory back by itself."
            : `${before - after} bytes given back, ${after} left; nobody waited for longer than ${longest} ms.`;
        return { result, words };
      }),
  );

  add("prune", "delete what is past `retention` now, not at the next sweep")
    .option("--dry-run", "say what would go, and delete nothing")
    .action(async ({ dryRun, ...options }: Options & { dryRun?: true }) =>
      keeping(options, async (keeper) => {
        const result = await keeper.prune(dryRun === true);
        const { overdue } = result;
        const words = overdue
          ? `Would delete ${overdue.events} events, ${overdue.letters} dead letters, ${overdue.turns} turns of memory and ${overdue.conversations} conversations.`
          : `${result.rows} rows deleted.`;
        return { result, words };
      }),
    );

  add(
    "archive",
    "move finished events into an archive of their own: written, read back, and only then deleted",
  )
    .requiredOption("--to <folder>", "where archives are kept; made where there is none")
    .option("--older-than <days>", "those that have been over for so long", "30")
    .option("--dead", "dead letters, too: they cannot be replayed any more")
    .option("--keep-days <days>", "then remove older archives of events (default: none is removed)")
    .option("--dry-run", "say how many there are; write and delete nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", ARCHIVE_HELP)
    .action(async (options: ArchiveOptions) =>
      keeping(options, async (keeper) => archive(keeper, options, terminal)),
    );
}

interface Done {
  readonly result: object;
  readonly words: string;
}

const HELP = `
Beside a running gateway it is the gateway that does it, asked over its admin API with PARLEY_ADMIN_TOKEN; where none runs, this
command does. Messages are taken and answered meanwhile. All of it is in the audit.

Examples:
  parley maintain check
  parley maintain prune --dry-run
  parley maintain archive --to /var/backups/parley --older-than 30 --keep-days 90 --yes`;

const ARCHIVE_HELP = `
What the archive does not hold when it is read back stays in the store; so does an event that was replayed meanwhile. What people
and agents remember stays, too. \`parley backup verify\` reads the archive again whenever you like; to look into one:
  zcat parley-events-*/events/finished.ndjson.gz | jq .text`;

/** In one request, with what was merged into them. */
const REMOVED_AT_ONCE = 200;

async function archive(keeper: Keeper, options: ArchiveOptions, terminal: Terminal): Promise<Done> {
  const nowMs = systemClock.nowMs();
  const before = iso(nowMs - daysIn("--older-than", options.olderThan) * DAY_MS);
  const keepMs = options.keepDays === undefined ? null : daysIn("--keep-days", options.keepDays) * DAY_MS;
  const to = resolve(terminal.cwd, options.to);
  const found = finishedBefore(keeper, before, options.dead === true);
  if (options.dryRun) {
    let count = 0;
    for await (const _ of found) count++;
    return { result: { dry_run: true, events: count }, words: `Would archive ${count} events.` };
  }
  // Each archive is to hold something, also where this is run by the clock.
  const first = await found.next();
  if (first.done) {
    const expired = await expiredIn(to, keepMs, nowMs);
    const result = { path: null, archived: 0, removed: 0, expired };
    const words = "Nothing has been over for so long, so that no archive was made.";
    return { result, words: words + wordsOf(expired) };
  }
  await agree(before, options, terminal);
  const [{ archiveEvents }, { archivedEvents }] = await Promise.all([
    import("../backup/events.ts"),
    import("../backup/archived.ts"),
  ]);
  const { environment } = configOf(terminal, options.config);
  const { archive: path, manifest } = await failing(
    archiveEvents({
      ...{ to, nowMs, version: packageVersion() },
      events: joined(first.value, found),
      store: environment.redisUrl === null ? "sqlite" : "redis",
    }),
  );
  // By what the archive is found to hold, not by what was meant to be in it.
  const finished = await groupsOf(archivedEvents(path));
  let removed = 0;
  for (let at = 0; at < finished.length; at += REMOVED_AT_ONCE)
    removed += (await keeper.remove(finished.slice(at, at + REMOVED_AT_ONCE))).removed;
  const archived = manifest.events?.total ?? 0;
  const left = archived - removed;
  const rest = left > 0 ? `, ${left} stay: they were replayed, or belong to what is not over` : "";
  // Last, when what is newer has been read back.
  const expired = await expiredIn(to, keepMs, nowMs);
  return {
    result: { path, archived, removed, expired },
    words: `${path}\n${archived} events archived, ${removed} removed from the store${rest}.${wordsOf(expired)}`,
  };
}

/** Names of the archives that went. Without a time none does, and the newest never. */
async function expiredIn(to: string, keepMs: number | null, nowMs: number): Promise<readonly string[]> {
  if (keepMs === null) return [];
  const { removeOld } = await import("../backup/retention.ts");
  return await removeOld(to, "events", { keepMs, nowMs });
}

function wordsOf(expired: readonly string[]): string {
  return expired.length === 0 ? "" : `\nRemoved, past --keep-days: ${expired.join(", ")}.`;
}

async function* joined<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T, void> {
  yield first;
  yield* rest;
}

async function agree(before: string, { yes }: ArchiveOptions, { confirm }: Terminal): Promise<void> {
  if (yes) return;
  if (confirm === undefined) throw new CommandError(EXIT.usage, "expected --yes where nobody can be asked");
  if (await confirm(`Move all events that have been over since before ${before} into an archive?`)) return;
  throw new CommandError(EXIT.failed, "nothing was archived");
}

/** What was merged comes first: what it was merged into is never in the archive without it. */
async function* finishedBefore(
  keeper: Keeper,
  before: string,
  withDead: boolean,
): AsyncGenerator<FinishedPage["events"][number], void> {
  for (const state of ["merged", "done", "dropped", ...(withDead ? (["dead"] as const) : [])] as const)
    for (let cursor: string | undefined; ; ) {
      const page: FinishedPage = await keeper.finished({
        state,
        before,
        ...(cursor !== undefined && { cursor }),
      });
      yield* page.events;
      if (page.next === null) break;
      cursor = page.next;
    }
}

async function groupsOf(events: AsyncIterable<Archived>): Promise<readonly Finished[]> {
  const merged = new Map<string, number[]>();
  const roots: { id: string; seq: number }[] = [];
  for await (const { id, seq, state, merged_into: into } of events)
    if (state !== "merged") roots.push({ id, seq });
    else if (into !== null) merged.set(into, [...(merged.get(into) ?? []), seq]);
  return roots.map(({ id, seq }) => ({ seq, merged: merged.get(id) ?? [] }));
}

function daysIn(option: string, text: string): number {
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days >= 1) return days;
  throw new CommandError(
    EXIT.usage,
    `expected ${option} to be a whole number of days from 1, got ${printable(text)}`,
  );
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
