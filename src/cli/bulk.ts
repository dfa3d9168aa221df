import { BULK_IDS_MAX } from "../admin/bounds.ts";
import type { BulkEnd, BulkLine } from "../admin/schemas.ts";
import { EXIT } from "../shared/exit.ts";
import { type Client, createClient, jsonBody } from "./client.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

export type BulkAction = "replay" | "drop";

export interface BulkFlags {
  readonly url?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

interface BulkContext {
  readonly client: Client;
  readonly action: BulkAction;
  readonly isJson: boolean;
  readonly terminal: Terminal;
  /** Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** Replays or drops dead letters as ordered. Gives the exit code. */
export async function runBulk(
  action: BulkAction,
  order: object,
  flags: BulkFlags,
  terminal: Terminal,
): Promise<number> {
  const { confirm } = terminal;
  const client = createClient(terminal, flags);
  if (!flags.dryRun && !flags.yes && confirm === undefined)
    throw new CommandError(EXIT.usage, "expected --yes where nobody can be asked");
  const interrupted = terminal.interrupted?.() ?? new AbortController().signal;
  const run = { client, action, isJson: flags.json === true, terminal, interrupted };

  if (flags.dryRun) return await rehearse(run, order);
  if (flags.yes || confirm === undefined) return await perform(run, order);
  const chosen = await choose(run, order, confirm);
  return typeof chosen === "number" ? chosen : await perform(run, chosen.order, chosen.left);
}

/** Says on stdout what would be done. */
async function rehearse(run: BulkContext, order: object): Promise<number> {
  const { terminal, isJson } = run;
  const end = await follow(run, { ...order, dry_run: true }, (line) => {
    if (!isJson) terminal.out(`${storyOf(line)}\n`);
  });
  if (end === null) return nothingDone(terminal, EXIT.interrupted);
  const { matched, done } = end.totals;
  terminal.talk(
    matched === 0 ? NO_MATCH : `${done} of ${lettersText(matched)} would be ${DONE[run.action]}.\n`,
  );
  return codeOf(end, matched);
}

/** Asks the person. Gives the order that was agreed to and how many cannot be part of it, or the exit code. */
async function choose(
  run: BulkContext,
  order: object,
  confirm: (question: string) => Promise<boolean>,
): Promise<{ order: object; left: number } | number> {
  const { terminal, action } = run;
  const ids: string[] = [];
  const counts = new Map<string, number>();
  const end = await follow({ ...run, isJson: false }, { ...order, dry_run: true }, (line) => {
    if (line.message !== null) return terminal.talk(`${storyOf(line)}\n`);
    ids.push(line.id);
    counts.set(line.kind ?? "", (counts.get(line.kind ?? "") ?? 0) + 1);
  });
  if (end === null) return nothingDone(terminal, EXIT.interrupted);
  if (end.totals.matched === 0) terminal.talk(NO_MATCH);
  if (ids.length === 0 || !end.complete) return codeOf(end, end.totals.matched);

  const kinds = [...counts].map(([kind, count]) => `${count} ${kind}`).join(", ");
  const isAgreed = await confirm(`${WILL[action]} ${lettersText(ids.length)} (${kinds})?`);
  if (!isAgreed) return nothingDone(terminal, EXIT.failed);
  // Just those that were asked about, where one request can name them.
  const left = ids.length <= BULK_IDS_MAX ? end.totals.matched - ids.length : 0;
  return { order: ids.length <= BULK_IDS_MAX ? { ids } : order, left };
}

async function perform(run: BulkContext, order: object, left = 0): Promise<number> {
  const { terminal, action } = run;
  let done = 0;
  let of = 0;
  const end = await follow(run, order, (line) => {
    if (line.message === null) done++;
    else terminal.talk(`${storyOf(line)}\n`);
    of = line.of;
    if (isMilestone(line)) terminal.talk(`${line.n} of ${of}\n`);
  });
  if (end?.totals.matched === 0) terminal.talk(NO_MATCH);
  else if (done === 0 && end === null) terminal.talk(STOPPED_EARLY);
  else {
    // What was on its way to us when we stopped was done, too.
    const atLeast = end === null ? "Interrupted: at least " : "";
    terminal.talk(`${atLeast}${done} of ${lettersText(of)} ${DONE[action]}.\n`);
  }
  return end === null ? EXIT.interrupted : codeOf(end, end.totals.matched + left);
}

/** Gives the last line; null when Ctrl-C came first. */
async function follow(
  { client, action, isJson, terminal, interrupted }: BulkContext,
  body: object,
  each: (line: BulkLine) => void,
): Promise<BulkEnd | null> {
  let n = 0;
  try {
    const init = { ...jsonBody(body), signal: interrupted };
    for await (const text of client.lines(`/dead/${action}`, init)) {
      if (isJson) terminal.out(`${inert(text)}\n`);
      const line = JSON.parse(text) as BulkLine | BulkEnd;
      if ("totals" in line) {
        if (line.error !== null) terminal.talk(`It broke off: ${printable(line.error.message)}\n`);
        return line;
      }
      n = line.n;
      each(line);
    }
  } catch (error) {
    if (interrupted.aborted) return null;
    if (n === 0 || !(error instanceof CommandError)) throw error;
  }
  throw new CommandError(
    EXIT.unreachable,
    `the connection broke after ${lettersText(n)}; ask again for the rest`,
  );
}

const STOPPED_EARLY =
  "Interrupted before the first was done, as far as is known; parley dead list shows what is left.\n";
const NO_MATCH = "No dead letters match.\n";
const WILL = { replay: "Replay", drop: "Drop" } as const;
const DONE = { replay: "replayed", drop: "dropped" } as const;

function nothingDone(terminal: Terminal, code: number): number {
  terminal.talk("Nothing was done.\n");
  return code;
}

function codeOf({ complete, totals }: BulkEnd, expected: number): number {
  return complete && totals.done >= expected ? EXIT.ok : EXIT.failed;
}

function storyOf({ id, kind, result, message }: BulkLine): string {
  const what = [result.replace("_", " ").padEnd(12), (kind ?? "-").padEnd(8), id].map(printable).join(" ");
  return message === null ? what : `${what}: ${printable(message)}`;
}

/** Each of a few, every tenth of many. */
function isMilestone({ n, of }: BulkLine): boolean {
  return of <= 10 || n === of || n % Math.ceil(of / 10) === 0;
}

function lettersText(count: number): string {
  return `${count} dead letter${count === 1 ? "" : "s"}`;
}
