import type { Approvers } from "../domain/approval.ts";
import { type ControlCommand, notesWordIn, usageDayIn } from "../domain/command.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { memoriesToForget, type Remembering } from "../domain/memory-scope.ts";
import { ownersThere } from "../domain/notebook.ts";
import type { PausedFor } from "../domain/switches.ts";
import type { RunResult } from "../ports/agent.ts";
import type { Answers } from "../ports/answers.ts";
import type { Audit } from "../ports/audit.ts";
import type { Clock } from "../ports/clock.ts";
import type { Desk } from "../ports/desk.ts";
import type { Grants } from "../ports/grants.ts";
import type { Lanes } from "../ports/lanes.ts";
import type { Memory } from "../ports/memory.ts";
import type { Notebook, Notebooks } from "../ports/notebooks.ts";
import type { Questions } from "../ports/questions.ts";
import {
  FORGOTTEN,
  NOTHING_TO_STOP,
  notesErasedText,
  notesText,
  STOPPING,
  statusText,
} from "../reply/texts.ts";
import { NO_SUCH_DAY, usageText } from "../reply/usage-text.ts";
import { isDay } from "../shared/time.ts";
import { decide } from "./decide.ts";
import type { Guide } from "./guide.ts";
import { type OwnWords, saidByUs } from "./own-words.ts";
import type { Selection } from "./selection.ts";

export interface ControlDeps {
  readonly memory: Pick<Memory, "forget">;
  /** What may be answered as before; absent: nothing. */
  readonly answers?: Pick<Answers, "forgetOf">;
  /** The store's: a command may arrive at another replica than the one that runs what it is about. */
  readonly lanes: Lanes;
  /** The agent that would answer, and its model; null when no route matches. */
  readonly describeAgent: (agent: string) => { name: string; model: string };
  readonly selection: Pick<Selection, "now" | "obey" | "forget" | "choosable">;
  readonly guide: Pick<Guide, "help">;
  /** Of an agent; null: it is not there any more. */
  readonly approversOf: (agent: string) => Approvers | null;
  /** Absent: a question is found in its own conversation alone. */
  readonly questions?: Pick<Questions, "find">;
  /** What may be used without asking; absent: nothing. */
  readonly grants?: Pick<Grants, "list" | "revoke">;
  /** Absent: no notes are kept. */
  readonly notebooks?: Pick<Notebooks, "list" | "erase">;
  /** What this agent remembers by; absent: it, and any other, by conversation. */
  readonly remembersBy?: (agent: string) => Remembering | undefined;
  /** Absent: nobody keeps who decided. */
  readonly audit?: Audit;
  readonly desk: Pick<Desk, "spentThere">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly isPaused: (of: PausedFor) => boolean;
  readonly version: string;
}

/**
 * The agent that is built in: carries out a command to the gateway itself. Safe to repeat after a crash; its answer is
 * recorded like any, so that a /stop that is said again does not stop what began after it.
 */
export async function obey(
  command: ControlCommand,
  event: TriggerEvent,
  deps: ControlDeps,
  /** It was begun before, and what it does may be done. */
  isRepeat = false,
): Promise<RunResult> {
  const answer = await ANSWERS[command](event, { ...deps, isRepeat });
  return saidByUs(typeof answer === "string" ? { text: answer } : answer);
}

type Told = string | OwnWords;
type Say = (event: TriggerEvent, deps: ControlDeps & { readonly isRepeat: boolean }) => Told | Promise<Told>;

const ANSWERS: Readonly<Record<ControlCommand, Say>> = {
  help: (event, { guide, selection }) => guide.help(event, selection),
  status,
  approve: decide,
  deny: decide,
  agent: (event, { selection }) => selection.obey(event),
  notes,
  async usage(event, { desk }) {
    const day = usageDayIn(event);
    if (day === null || (day !== "" && !isDay(day))) return NO_SUCH_DAY;
    return usageText(await desk.spentThere(event, day === "" ? null : day));
  },
  async reset(event, { memory, answers, grants, selection, remembersBy }) {
    const { agent } = await selection.now(event);
    const by = agent === null ? undefined : remembersBy?.(agent);
    const keys = memoriesToForget(event, by);
    for (const key of keys) await memory.forget(key, event.id);
    // These are of the conversation, also where the agent remembers by something else.
    for (const key of new Set([event.conversation, ...keys])) await answers?.forgetOf(key);
    await selection.forget(event.conversation);
    await grants?.revoke(event.conversation);
    return FORGOTTEN[by?.scope ?? "thread"];
  },
  async stop({ conversation, sender: { id, name } }, { lanes }) {
    const { state } = await lanes.signal(conversation, { kind: "stop", by: { id, name } });
    return state === "idle" ? NOTHING_TO_STOP : STOPPING;
  },
};

async function status(
  event: TriggerEvent,
  { describeAgent, selection, lanes, grants, clock, isPaused, version }: ControlDeps,
): Promise<string> {
  const lane = await lanes.stateOf(event.conversation);
  const allowed = (await grants?.list(event.conversation, clock.nowMs())) ?? [];
  const { agent: name, chosen } = await selection.now(event);
  const agent = name === null ? null : { ...describeAgent(name), ...(chosen && { chosen }) };
  const isOff = isPaused({ platform: event.platform, agent: agent?.name ?? null });
  return statusText({ agent, lane, allowed, isPaused: isOff, version });
}

/** An agent has one notebook of each. */
const BOOKS_MAX = 100;

async function notes(event: TriggerEvent, { notebooks }: ControlDeps): Promise<string> {
  const { shown, channel } = ownersThere(event);
  const which = notesWordIn(event)?.toLowerCase() ?? "";
  if (which === "") {
    const books = await Promise.all(shown.map((owner) => booksOf(owner, notebooks)));
    return notesText(books.flat(), channel);
  }
  let gone = 0;
  for (const owner of shown)
    gone += (await notebooks?.erase(owner, which === "all" ? {} : { note: which })) ?? 0;
  return notesErasedText(gone);
}

/** Its key alone, and not what begins like it. */
async function booksOf(owner: string, notebooks: ControlDeps["notebooks"]): Promise<readonly Notebook[]> {
  const found = (await notebooks?.list({ ownerPrefix: owner, limit: BOOKS_MAX })) ?? [];
  return found.filter((book) => book.owner === owner);
}
