import type { Command } from "commander";
import { PLATFORMS } from "../domain/event.ts";
import { REFUSED_OUTCOMES } from "../domain/request.ts";
import { LIFE_STATES, type Life } from "../feed/life.ts";
import type { RefusalView } from "../feed/refusal.ts";
import { EXIT } from "../shared/exit.ts";
import { systemClock } from "../system/clock.ts";
import { oneOfThese } from "./choices.ts";
import { type Client, createClient, queryOf, Refused, TOKEN_HELP, withUrl } from "./client.ts";
import { A_PLATFORM } from "./examples.ts";
import { inert, printable } from "./printable.ts";
import { forbidWithRefused, outcomeOption, refusalLine } from "./refusals.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

interface TailOptions {
  readonly url?: string;
  readonly platform?: string;
  readonly conversation?: string;
  readonly tenant?: string;
  readonly state?: string;
  readonly refused?: true;
  readonly outcome?: string;
  readonly json?: true;
}

export function addTail(program: Command, terminal: Terminal, settle: Settle): void {
  withUrl(program.command("tail"))
    .option("--platform <name>", "of this platform")
    .option("--conversation <key>", "of this conversation")
    .option("--tenant <key>", "of this workspace: platform and id with a colon between")
    .option("--state <states>", "only these, with commas between them")
    .option("--refused", "follow requests that are refused or ignored instead: why is the bot silent?")
    .addOption(outcomeOption())
    .option("--json", "print a line of JSON for each change")
    .addHelpText("after", HELP)
    .action(async (options: TailOptions) => {
      checkOptions(options);
      const client = createClient(terminal, options);
      const interrupted = terminal.interrupted?.() ?? new AbortController().signal;
      await followForever(client, options, terminal, interrupted);
      settle(EXIT.interrupted);
    });
}

const HELP = `
States: ${LIFE_STATES.join(", ")}
Nothing is kept for those who come later, and no message text is shown: parley events has both.
${TOKEN_HELP}

Examples:
  parley tail
  parley tail --platform ${A_PLATFORM} --state dead,retrying
  parley tail --refused --outcome forged,stale
  parley tail --json | jq -r 'select(.state == "dead") | .id'`;

/** A misspelt one would be followed for ever. */
function checkOptions({ refused, outcome, conversation, tenant, state, platform }: TailOptions): void {
  oneOfThese("--platform", platform, PLATFORMS);
  oneOfThese("--state", state, LIFE_STATES);
  oneOfThese("--outcome", outcome, REFUSED_OUTCOMES);
  if (refused === true) forbidWithRefused({ state, conversation, tenant });
  else if (outcome !== undefined)
    throw new CommandError(EXIT.usage, "expected --refused with --outcome, got --outcome alone");
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;
/** The gateway sends something every 15 seconds; after three of them nobody is there. */
const SILENT_MS_MAX = 45_000;

/** A gateway that restarts is waited for; one that was never there, or that refuses, is an error. */
async function followForever(
  client: Client,
  options: TailOptions,
  terminal: Terminal,
  interrupted: AbortSignal,
): Promise<void> {
  let delayMs = RETRY_MS_MIN;
  let isKnown = false;
  while (!interrupted.aborted) {
    try {
      for await (const line of connection(client, options, interrupted)) {
        if (line !== WATCHING) {
          show(line, options, terminal);
          continue;
        }
        terminal.talk(isKnown ? "Connected again.\n" : `Following ${client.url}; Ctrl-C ends it.\n`);
        isKnown = true;
        delayMs = RETRY_MS_MIN;
      }
    } catch (error) {
      if (interrupted.aborted) return;
      if (!isKnown || !isPassing(error)) throw error;
    }
    if (interrupted.aborted) return;
    terminal.talk(`The connection is lost; trying again in ${delayMs / 1000} s.\n`);
    await systemClock.sleep(delayMs, interrupted).catch(() => {});
    delayMs = Math.min(2 * delayMs, RETRY_MS_MAX);
  }
}

const WATCHING = ": watching";
const ALIVE = ": alive";

function isPassing(error: unknown): boolean {
  return error instanceof CommandError && !(error instanceof Refused && error.status < 500);
}

/** The lines of one connection; a silent one ends in an error. */
async function* connection(
  client: Client,
  { platform, conversation, tenant, state, refused, outcome }: TailOptions,
  interrupted: AbortSignal,
): AsyncGenerator<string, void> {
  const silent = new AbortController();
  const fallSilent = () =>
    silent.abort(new CommandError(EXIT.unreachable, `${client.url} has fallen silent`));
  const timer = setTimeout(fallSilent, SILENT_MS_MAX);
  try {
    const signal = AbortSignal.any([interrupted, silent.signal]);
    const path = refused === true ? "/refusals/stream" : "/stream";
    const query = queryOf({ platform, conversation, tenant, state, outcome });
    for await (const line of client.lines(path + query, { signal })) {
      timer.refresh();
      yield line;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A line of Server-Sent Events: changes on stdout, what the gateway says about them on stderr. */
function show(line: string, { json, refused }: TailOptions, terminal: Terminal): void {
  if (line.startsWith(DATA)) {
    const text = line.slice(DATA.length);
    const item = JSON.parse(text) as Life | RefusalView | { missed: number };
    if ("missed" in item) terminal.talk(`${item.missed} changes came too fast and are left out here.\n`);
    else if (json) terminal.out(`${inert(text)}\n`);
    else terminal.out(refused === true ? refusalLine(item as RefusalView) : storyOf(item as Life));
  } else if (line.startsWith(COMMENT) && line !== ALIVE) {
    terminal.talk(`The gateway says: ${printable(line.slice(COMMENT.length))}\n`);
  }
}

const DATA = "data: ";
const COMMENT = ": ";

const STATE_COLUMNS = Math.max(...LIFE_STATES.map((state) => state.length));

function storyOf({ at, state, id, attempt, detail }: Life): string {
  const time = new Date(at).toLocaleTimeString("sv");
  const attempts = attempt !== null && attempt > 1 ? ` (attempt ${attempt})` : "";
  const why = detail === null ? "" : `  ${printable(detail)}`;
  return `${time}  ${printable(state).padEnd(STATE_COLUMNS)}  ${printable(id)}${attempts}${why}\n`;
}
