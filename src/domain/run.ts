import type { FileRecord, PictureView } from "./attachment.ts";
import type { BudgetScope } from "./budget.ts";
import type { ContextItem } from "./context.ts";
import type { Platform } from "./event.ts";
import type { MadeFile, SentFile } from "./made-file.ts";
import type { Named } from "./mention.ts";
import type { MoneyHold } from "./money.ts";
import type { ReplyPart } from "./reply.ts";
import type { Decider } from "./signal.ts";

/** What model calls used and cost. Tokens as the provider counted them; `inputTokens` includes cached ones. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** US cents; fractions are kept. */
  readonly costCents: number;
}

export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costCents: 0,
};

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    costCents: a.costCents + b.costCents,
  };
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** What a tool does at most. */
export type ToolEffect = "read" | "write" | "delete";

/**
 * Why a model stopped: finished, wants tools, was cut at a length limit, declined, or wants to be called again.
 */
export type StopReason = "end" | "tools" | "length" | "refusal" | "pause";

/** One recorded step of a run. What is recorded is never paid for or done again. */
export type Step =
  | {
      readonly kind: "model";
      readonly text: string;
      readonly toolCalls: readonly ToolCall[];
      readonly usage: Usage;
      /** Which one, `provider/name`; absent: an older version has recorded it. */
      readonly model?: string;
      /** Absent: judged by `toolCalls` alone. */
      readonly stop?: StopReason;
      /** What a remote agent has made for people: said with the answer. */
      readonly files?: readonly MadeFile[];
      readonly opaque?: string;
      /** The `model-started` right before it is of this call, and not of one that broke off before it. */
      readonly wasHeld?: true;
      /** It was said before to the same words, and no model was asked: it has cost nothing. */
      readonly fromCache?: true;
    }
  /**
   * Written before a call that costs: the answer stands right behind it, and says so. One without broke off, or its process
   * died, and it may have cost all that was held.
   */
  | { readonly kind: "model-started"; readonly hold: MoneyHold }
  /** Written before somebody is asked whether this call may be made: whoever has the id decides, until then. */
  | {
      readonly kind: "tool-asked";
      readonly callId: string;
      readonly approvalId: string;
      /** Of a call that is shown as it is (`shows`): its arguments as JSON, whole. */
      readonly question: string;
      readonly shows?: true;
      /** Absent: an older version has asked. */
      readonly use?: ToolUse;
      /** So many people must approve; absent: one. */
      readonly needs?: number;
      /** So long the tool may be used there without asking, if whoever approves says so; absent: that is not offered. */
      readonly rememberMs?: number;
      /** What may be answered; absent: yes or no. */
      readonly choices?: readonly string[];
      /** Where it is asked and decided; absent: in the conversation. */
      readonly place?: ApprovalPlace;
      /** The same as `untilMs`: there was nobody to ask. */
      readonly askedAtMs: number;
      readonly untilMs: number;
    }
  /** Somebody has approved, and others have to as well. */
  | ({ readonly kind: "tool-voted"; readonly approvalId: string } & Vote)
  /** Written before it is acted upon. `by`: null when the time was over. */
  | {
      readonly kind: "tool-decided";
      readonly approvalId: string;
      readonly verdict: "approved" | "denied" | "expired" | "withdrawn";
      readonly by: Decider | null;
      readonly reason?: string;
      readonly atMs?: number;
      /** All who approved said so for the next calls, too. */
      readonly always?: true;
      /** Which of the choices, from 1; absent: the first. */
      readonly choice?: number;
      /** Of one that has expired: it could not be asked where it is decided. */
      readonly unasked?: true;
    }
  | CompactedStep
  /** From here on the run answers this message too, which was joined to its event (`Queue.join`). */
  | { readonly kind: "joined"; readonly eventId: string }
  /** What another agent, which is asked as a tool, has done of that call so far. It is paid for with this run. */
  | {
      readonly kind: "agent";
      readonly callId: string;
      readonly agent: string;
      readonly steps: readonly Step[];
    }
  /** Written before the call: a tool with this mark and no result may or may not have run. */
  | { readonly kind: "tool-started"; readonly callId: string }
  | {
      readonly kind: "tool";
      readonly callId: string;
      readonly result: string;
      readonly isError: boolean;
      /** What models that see are shown with it; a version that knows none shows the result alone, which names them. */
      readonly pictures?: readonly ToolPicture[];
      /** What it has made for people: said with the answer. */
      readonly files?: readonly MadeFile[];
      /** From here on the run is another agent's. */
      readonly handed?: Handover;
    };

/** What its model calls took, as far as they have told, and those of agents that were asked. */
export function usageOf(steps: readonly Step[]): Usage {
  return steps.reduce((sum, step) => {
    if (step.kind === "agent") return addUsage(sum, usageOf(step.steps));
    return step.kind === "model" || step.kind === "compacted" ? addUsage(sum, step.usage) : sum;
  }, NO_USAGE);
}

/** What a run and its tools have made, and those of the agents that it asked, in order. */
export function filesMadeIn(steps: readonly Step[]): readonly MadeFile[] {
  return steps.flatMap((step) => {
    if (step.kind === "agent") return filesMadeIn(step.steps);
    return step.kind === "tool" || step.kind === "model" ? (step.files ?? []) : [];
  });
}

/** A picture that a tool gave, of a type that providers take. */
export interface ToolPicture {
  readonly mime: PictureView["mime"];
  readonly base64: string;
}

/** The model has made a summary of the older turns of the conversation, which stands for them from here on. */
export interface CompactedStep {
  readonly kind: "compacted";
  /** As models are shown it. */
  readonly text: string;
  /** Of the oldest turn in it. */
  readonly atMs: number;
  readonly covers: Covers;
  readonly usage: Usage;
  /** As with `model`. */
  readonly wasHeld?: true;
}

/** An agent has given the run to another one, which goes on with it. */
export interface Handover {
  readonly from: string;
  readonly to: string;
  /** From the one to the other; empty: nothing. */
  readonly note: string;
}

/** Where approvals are asked, beside the conversation. */
export interface ApprovalPlace {
  readonly platform: Platform;
  /** Null: the only one that there is. */
  readonly tenant: string | null;
  readonly channel: string;
  readonly thread: string | null;
}

/** What may be done only if somebody approves it. */
export interface ToolUse {
  readonly tool: string;
  readonly effect: ToolEffect;
}

export interface Vote {
  readonly by: Decider;
  readonly always?: true;
  readonly atMs?: number;
}

export type AskedStep = Extract<Step, { kind: "tool-asked" }>;
export type DecidedStep = Extract<Step, { kind: "tool-decided" }>;

/** A question, and what became of it; without the call, which is of the run alone. */
export interface Approval extends Omit<AskedStep, "kind" | "callId"> {
  readonly tool: string;
  /** Of the call; absent: an older version has kept it. */
  readonly input?: unknown;
  /** Those who approved before it was decided. */
  readonly votes?: readonly Vote[];
  readonly decided: Omit<DecidedStep, "kind" | "approvalId"> | null;
}

/** How a run ended. */
export type RunOutcome =
  | "answered"
  | "stopped" // by /stop
  | "out-of-time"
  | "out-of-tokens"
  | "out-of-money"
  | "out-of-steps"
  | "refused" // the model declined
  | "failed";

/** Everything a run has achieved, stored with its event and given back after a crash. */
export interface Progress {
  readonly runId: string;
  /** Who is at work on it, or has answered. */
  readonly agent: string;
  /** Kept with the answer: all agents that have had the run, the first one first. Absent: one alone. */
  readonly path?: readonly string[];
  readonly startedAtMs: number;
  /** Time that went into `steps`, without what it waited between attempts. Absent: an older version has recorded them. */
  readonly workedMs?: number;
  readonly steps: readonly Step[];
  /** How long it was parked in all, up to its last claim: time that counts against nothing. */
  readonly parkedMs?: number;
  /** Since when it is parked, or was before its last claim. */
  readonly parkedAtMs?: number;
  /** What was said before in the thread, once it was read: a resumed run is shown the same. */
  readonly earlier?: readonly ContextItem[];
  /** What became of the files that it reads: none of them is fetched again. */
  readonly files?: readonly FileRecord[];
  /** Who is called how of those whom its messages name by id alone: a resumed run is shown the same. */
  readonly names?: readonly Named[];
  /** Kept with the answer, which has no steps, until it is remembered: the summary that was made on the way to it. */
  readonly compacted?: CompactedStep;
  /** Kept with the answer, which has no steps: what was asked and decided on the way to it. */
  readonly approvals?: readonly Approval[];
  /** Set once the run has ended; from then on only the reply remains to be sent. */
  readonly answer: Answer | null;
}

/**
 * How much of the time since its start went by without a step: it waited for its model, or for somebody to take it up
 * again, and what was tried meanwhile came to nothing.
 */
export function restedMsOf({ startedAtMs, workedMs }: Progress, nowMs: number): number {
  return workedMs === undefined ? 0 : Math.max(0, nowMs - startedAtMs - workedMs);
}

/** Who goes on with a run that was parked: how long that was is known now. */
export function unparked({ parkedAtMs, ...progress }: Progress, nowMs: number): Progress {
  if (parkedAtMs === undefined) return progress;
  return { ...progress, parkedMs: (progress.parkedMs ?? 0) + Math.max(0, nowMs - parkedAtMs) };
}

/** What the calls of one model used. */
export interface ModelUsage {
  /** `provider/name` */
  readonly model: string;
  readonly calls: number;
  readonly usage: Usage;
}

/** Of the answers that these steps hold, those of agents that were asked too. In the order in which the models came. */
export function usageByModel(steps: readonly Step[]): readonly ModelUsage[] {
  const found = new Map<string, ModelUsage>();
  const add = (all: readonly Step[]): void => {
    for (const step of all) {
      if (step.kind === "agent") add(step.steps);
      if (step.kind !== "model" || step.model === undefined || step.fromCache) continue;
      const { model } = step;
      const { calls, usage } = found.get(model) ?? { calls: 0, usage: NO_USAGE };
      found.set(model, { model, calls: calls + 1, usage: addUsage(usage, step.usage) });
    }
  };
  add(steps);
  return [...found.values()];
}

export interface Answer {
  readonly outcome: RunOutcome;
  /** Markdown, as the model wrote it. */
  readonly text: string;
  /** Rendered once, so that a restart resumes at the same part boundaries. */
  readonly parts: readonly ReplyPart[];
  /** Said behind the parts. Absent: none; so for a version that sends none. */
  readonly files?: readonly SentFile[];
  readonly usage: Usage;
  /** Of a run whose steps are gone with its answer; absent: no model was asked, or an older version has kept it. */
  readonly models?: readonly ModelUsage[];
  /** It was said before to the same words: no model was asked. */
  readonly fromCache?: true;
  /** Of a failed run, for the operator. */
  readonly cause?: string;
  /** Of one that is out of money: whose budget of the day it was. Absent: its own. */
  readonly overBudget?: BudgetScope;
}

/**
 * Of which turns a summary is, by the places of their events in the order of the store. Should one of them be taken back,
 * forgotten or erased, nothing tells what in the summary is of it: so the summary goes with it.
 */
export interface Covers {
  /** The place of the first of them all, also where its turns are gone since. */
  readonly from: number;
  /** Those of all whose turns were there, each once, the first one first. */
  readonly places: readonly number[];
  /** So many turns these were, of so much text: another number, or another size, and something has changed since. */
  readonly turns: number;
  readonly size: number;
  /** The ids of all who said them or were answered. */
  readonly by: readonly string[];
}

/** One remembered contribution to a conversation; `summary`: what the model has kept of older ones. */
export interface Turn {
  readonly role: "user" | "assistant" | "summary";
  readonly name: string | null;
  readonly text: string;
  readonly atMs: number;
  /** Where it was said, in a memory that is wider than one conversation. */
  readonly conversation?: string;
  /** The id of whoever said it, or whom it answers. Absent: an older version has kept it. */
  readonly by?: string;
  /** The message that said it, where several were answered together. */
  readonly event?: string;
  /** Of a summary, whose time is that of the oldest turn in it: it is remembered no longer than that. */
  readonly covers?: Covers;
  /** Comes with what is recalled, and is not kept with it: the place of its event, and its size. */
  readonly stored?: readonly [place: number, size: number];
}
