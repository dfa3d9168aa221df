import type { ApprovalRules } from "../domain/approval.ts";
import type { ErrorCode } from "../domain/errors.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { agentAfter, pathIn } from "../domain/handover.ts";
import type { ToolEffect, Usage } from "../domain/run.ts";
import type { Run } from "../ports/agent.ts";
import type { ChatModel } from "../ports/model.ts";
import type { Tool, Toolbox } from "../ports/tool.ts";
import type { ToolOutcome } from "../ports/tool-desk.ts";
import type { AskedAgent } from "./asked-agent.ts";
import type { Colleague } from "./hand-over.ts";

/** What stands in place of an agent's own, in runs that a route or a command begins. */
export interface RunModels extends Pick<Agent, "model" | "fallbacks" | "cheaper" | "tools"> {
  readonly maxTokens: number;
}

/** A remote agent has no model that another could stand for. */
function withModels(agent: Agent, models: RunModels | undefined): Agent {
  if (models === undefined || agent.model.provider === "http") return agent;
  const { fallbacks: _, cheaper: __, ...rest } = agent;
  const { maxTokens, ...theirs } = models;
  return { ...rest, ...theirs, limits: { ...agent.limits, maxTokens } };
}

/** Who is at work on a run, with the models of its route; whoever has it handed over has its own. Undefined: nobody. */
export function agentOfRun(
  { agent, model, steps }: Pick<Run, "agent" | "model" | "steps">,
  agents: ReadonlyMap<string, Agent>,
  models: ReadonlyMap<string, RunModels> | undefined,
): Agent | undefined {
  const found = agents.get(agentAfter(steps, agent));
  const isHanded = pathIn(steps).length > 0;
  return found && withModels(found, isHanded || model === undefined ? undefined : models?.get(model));
}

/** One agent, ready to run: its models made, its limits resolved. */
export interface Agent {
  readonly name: string;
  readonly model: ChatModel;
  /** Asked in this order when the model before cannot answer. */
  readonly fallbacks?: readonly ChatModel[];
  /** Absent: there is none. */
  readonly cheaper?: CheaperModel;
  readonly systemPrompt: string;
  readonly tools: readonly Tool[];
  /** Where there are more of them. */
  readonly toolbox?: Toolbox;
  /** Of more than one conversation, and the model is told so. */
  readonly remembers?: "user" | "channel";
  /** Whom it may ask, as tools; absent: nobody. */
  readonly asks?: readonly AskedAgent[];
  /** To whom it may hand a conversation over; absent: to nobody. */
  readonly handOver?: readonly Colleague[];
  /** So long an answer may be given again to the same words in the same conversation; absent: never. */
  readonly cache?: {
    readonly ttlMs: number;
    /** Tells this configuration from any other. */
    readonly of: string;
  };
  /** The model is told how to offer choices. */
  readonly offersChoices?: true;
  readonly limits: AgentLimits;
  readonly retry: RetrySpec;
  /** When the model makes a summary of the older turns of its memory; absent: never. */
  readonly compaction?: Compaction;
  /** Asked before each call of a tool that does more than read; absent: nobody is. */
  readonly guard?: Guard;
  /** Absent: APPROVAL_RULES. */
  readonly approvals?: ApprovalRules;
}

/** Asked first once so large a share of a budget is used up, of the run or of the day; and last when all others are too dear. */
export interface CheaperModel {
  readonly model: ChatModel;
  readonly pastShare: number;
}

/** A model that looks at calls of tools before they are made. */
export interface Guard {
  /** Null: it cannot be asked, and nothing is let through. */
  readonly model: ChatModel | null;
  /** The operator's policy. */
  readonly instructions: string;
}

/** All that may be asked for it. */
export function modelsOf({
  model,
  fallbacks = [],
  cheaper,
}: Pick<Agent, "model" | "fallbacks" | "cheaper">): readonly ChatModel[] {
  return [model, ...fallbacks, ...(cheaper === undefined ? [] : [cheaper.model])];
}

/** Older turns are made a summary of when what the model is shown would be more than this. */
export interface Compaction {
  /** Of the tokens below, or of the model's context window. */
  readonly share: number;
  /** Of what is remembered and said alone; absent: as many as the model can read, its instructions and tools among them. */
  readonly contextTokens?: number;
  /** Somebody has asked for it: also where the run's budget has no room for the older turns. */
  readonly isAsked: boolean;
  /** What was said longer ago is forgotten. */
  readonly ttlMs: number;
}

/** Of one run, all holders and restarts together. Infinity: no limit. */
export interface AgentLimits {
  /** Model calls that end with an answer. */
  readonly maxIterations: number;
  /** From the start of the run, without what it waited between attempts (`Run.restedMs`). */
  readonly maxExecutionMs: number;
  /** After that, for an answer that is being given by then; default none. */
  readonly graceMs?: number;
  /** Input and output. What a call will use is estimated before it is made, so a run may end a little above. */
  readonly tokensMax: number;
  /** US cents. Never passed: the dearest outcome of a call is set aside before it is made. */
  readonly costCentsMax: number;
  /** Of one answer. */
  readonly maxTokens: number;
  /** For one tool call; default 30 s. */
  readonly toolTimeoutMs?: number;
}

/** For one model call inside a run. A run that gives up is tried again by the queue. */
export interface RetrySpec {
  /** Calls in all; 1: no retry. */
  readonly maxAttempts: number;
  readonly backoffSeconds: number;
  readonly exponential: boolean;
}

export interface ModelCallReport {
  readonly agent: string;
  readonly provider: string;
  readonly model: string;
  /** `aborted`: by a stop, a drain or the time limit. */
  readonly outcome: "ok" | "aborted" | ErrorCode;
  readonly durationMs: number;
  /** Zero unless `ok`: a broken call does not tell what it used. */
  readonly usage: Usage;
}

export interface RetryReport {
  readonly agent: string;
  readonly provider: string;
  readonly model: string;
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly code: ErrorCode;
}

export interface ToolCallReport {
  readonly agent: string;
  /** As the model called it; `unknown` when the agent has no such tool. */
  readonly tool: string;
  readonly outcome: ToolOutcome;
  readonly durationMs: number;
}

export interface CompactionReport {
  readonly agent: string;
  readonly runId: string;
  readonly event: Pick<TriggerEvent, "id" | "requestId">;
  /** `skipped`: the run's budget, or that of the day, has not so much left. Nothing but `made` stands for the older turns. */
  readonly outcome: "made" | "failed" | "skipped";
  /** Why not. */
  readonly cause?: string;
  /** Which it is of, or would have been. */
  readonly turns: number;
  readonly usage: Usage;
}

export interface GuardReport {
  readonly agent: string;
  readonly runId: string;
  readonly event: Pick<TriggerEvent, "id" | "requestId">;
  readonly tool: string;
  readonly effect: ToolEffect;
  /** All but `allowed` are refusals: it said so, it gave no clear answer, or it could not be asked. */
  readonly verdict: "allowed" | "refused" | "unclear" | "unavailable" | "unaffordable" | "too_long";
}

/** What the operator wants counted. Called as it happens; must not throw. */
export interface RunObserver {
  modelCall(report: ModelCallReport): void;
  retry(report: RetryReport): void;
  toolCall?(report: ToolCallReport): void;
  guarded?(report: GuardReport): void;
  compaction?(report: CompactionReport): void;
  cached?(report: { readonly agent: string; readonly outcome: "hit" | "miss" }): void;
}

/** The run has one purse and one time, whoever is at work; what one answer and one tool may take is up to each. */
export function withinLimitsOf(first: Agent, agent: Agent): Agent {
  const { maxTokens, toolTimeoutMs } = agent.limits;
  return {
    ...agent,
    limits: { ...first.limits, maxTokens, ...(toolTimeoutMs !== undefined && { toolTimeoutMs }) },
  };
}
