import type { FileViews } from "../domain/attachment.ts";
import type { BudgetScope } from "../domain/budget.ts";
import type { Button } from "../domain/button.ts";
import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { MadeFile } from "../domain/made-file.ts";
import type { MenuChoice } from "../domain/menu.ts";
import type { MoneyHold } from "../domain/money.ts";
import type {
  ApprovalPlace,
  AskedStep,
  DecidedStep,
  Progress,
  RunOutcome,
  Step,
  Turn,
  Usage,
  Vote,
} from "../domain/run.ts";
import type { Signal } from "../domain/signal.ts";
import type { RunAnswers } from "./answers.ts";
import type { Grant } from "./grants.ts";
import type { FoundFile, LeftFile } from "./tool.ts";

/** One turn of a conversation to be answered. */
export interface Run {
  readonly id: string;
  readonly agent: string;
  /** By which the model that stands for its agent's own is known; absent, or of a configuration that is gone: its own. */
  readonly model?: string;
  readonly event: TriggerEvent;
  /** What was joined to it before, and is answered with it. */
  readonly joined?: readonly TriggerEvent[];
  readonly history: readonly Turn[];
  /** What was said before in the thread and is not in `history`. */
  readonly earlier?: readonly ContextItem[];
  /** What of the files of all this can be shown; grows with what is joined. */
  readonly files?: FileViews;
  /** `@name` and `#channel` in the answer may be mentions. */
  readonly mayMention?: true;
  /** Steps recorded by an earlier holder; the run goes on after them. */
  readonly steps: readonly Step[];
  readonly startedAtMs: number;
  /** How much of the time since then it was not worked on, or to no avail: it does not count against its limit. */
  readonly restedMs?: number;
}

export interface RunResult {
  readonly outcome: RunOutcome;
  /** Markdown for the person; never empty. */
  readonly text: string;
  /** Below it, where the platform has room for all of them. Absent: the text may declare choices. */
  readonly buttons?: readonly Button[];
  /** Below it, on buttons or as a list. */
  readonly menu?: readonly MenuChoice[];
  readonly usage: Usage;
  readonly modelCalls: number;
  /** The agent's own, or that of its route, whichever of the fallbacks has answered; absent: there is no such agent. */
  readonly model?: string;
  /** Of a failed run, for the operator: a code and what happened; never message text. */
  readonly cause?: string;
  /** Of one that is out of money: whose budget of the day. Absent: that of the run. */
  readonly overBudget?: BudgetScope;
}

/** A run that waits for a person: it goes on with these steps when somebody has decided, or the time is over. */
export interface ParkedRun {
  readonly outcome: "parked";
  readonly untilMs: number;
  readonly steps: readonly Step[];
}

/** What ties a run to the event that it answers. Both reject when another holder may have the event by now. */
export interface Hold {
  readonly record: (steps: Progress["steps"]) => Promise<void>;
  /** Asked last before each thing that costs money or cannot be undone: a process may have been stopped since. */
  readonly ensure: () => Promise<void>;
  /** What was said to the run: what came with its claim, and what has come since. */
  readonly heard: () => readonly Signal[];
  /**
   * Says something beside the answer, once, whoever goes on after a crash: `key` tells it from what else is said of the
   * event. Throws as a delivery does.
   */
  readonly say: (key: string, text: string, buttons?: readonly Button[]) => Promise<void>;
  /**
   * Changes what was said under this key, and its buttons, where the platform can: they say no more than that they are old
   * when it cannot. Harmless to repeat; rejects only when the event is not ours any more.
   */
  readonly amend: (key: string, text: string, buttons?: readonly Button[]) => Promise<void>;
  /** In other places than the conversation; absent: nowhere else. */
  readonly elsewhere?: Elsewhere;
  /** Told of each question, before it is asked and again once it is over; absent: it is found in its conversation alone. */
  readonly questions?: RunQuestions;
  /** Keeps what a tool has made until it is sent with the answer. Absent: nothing is sent. Rejects as the store of files does. */
  readonly keepFile?: (file: FoundFile | LeftFile) => Promise<MadeFile>;
  /** What may be answered as before; absent: nothing. */
  readonly answers?: RunAnswers;
  /** Asked before each call of a model: all that is joined by now. Absent: there will be nothing new. */
  readonly join?: () => Promise<readonly TriggerEvent[]>;
  /** Told how it goes with the model, for whoever waits. */
  readonly waiting?: Waiting;
  /** Given the text so far of each answer that is being given, once it is begun; nothing when one is begun anew. */
  readonly showing?: (text: string) => void;
  /** Of the budgets of the day; absent: there are none. */
  readonly allowance?: Allowance;
  /** The same for another agent to whom the run is handed over; absent: `allowance`. */
  readonly allowanceOf?: (agent: string) => Allowance | undefined;
  /** Whether this agent is to answer nothing at the moment; absent: none is. */
  readonly isPaused?: (agent: string) => boolean;
}

interface SaidElsewhere {
  readonly place: ApprovalPlace;
  readonly key: string;
  readonly text: string;
  readonly buttons?: readonly Button[];
}

/** As `say` and `amend` of a hold, in a place. */
export interface Elsewhere {
  /** `away`: it cannot be said now. `refused`: nor later, before somebody changes something. */
  say(said: SaidElsewhere): Promise<"said" | "away" | "refused">;
  amend(said: SaidElsewhere): Promise<void>;
}

/** All are harmless to repeat, and reject with STORE_*. */
export interface RunQuestions {
  opened(asked: AskedStep): Promise<void>;
  decided(asked: AskedStep, decided: DecidedStep, votes: readonly Vote[]): Promise<void>;
  /** From now on this tool needs nobody in this conversation, until then. */
  allow(tool: string, until: Pick<Grant, "untilMs" | "by">): Promise<void>;
  /** Null: somebody has to be asked. */
  allowed(tool: string): Promise<Grant | null>;
}

/** A call that may not be made today. */
export interface DayOver {
  /** Whose budget has not so much left. */
  readonly scope: BudgetScope;
  readonly limitCents: number;
  /** False: the call may cost more than a whole day has. */
  readonly fitsInADay: boolean;
  readonly beginsAgainInMs: number;
  readonly timeZone: string;
}

/** What the model calls of one run may cost today. */
export interface Allowance {
  /** Sets the most that a call can cost aside, under the name that is recorded. `over`: null when there was room. */
  hold(
    cents: number,
    /** Which is to be called: `provider/name`. */
    model?: string,
  ): { readonly hold: MoneyHold; readonly over: Promise<DayOver | null> };
  /** Whether any of these budgets has come to where the operator is warned. Rejects with STORE_*. */
  isPastWarning?(): Promise<boolean>;
  /** What the call did cost. Until then, and if it is never told, it counts with all that was held. */
  settle(hold: MoneyHold, usage: Usage): void;
}

export interface Waiting {
  /** A model is called now. */
  asked(): void;
  /** It is at work on an answer. */
  heard(): void;
  /** It has failed, and is about to be tried again. */
  inTrouble(): void;
}

/**
 * Runs one turn to its end. Records each step before going on, and looks at its hold before each call of a model or a
 * tool. The record of the last step is on its way when the result is there, so that the answer can be written with it.
 * Throws ModelError when the turn should be tried again later, BreakerOpen when the model is left alone for now; gives a
 * `failed` result when neither would help.
 */
export interface AgentRuntime {
  run(run: Run, hold: Hold, signal: AbortSignal): Promise<RunResult | ParkedRun>;
}
