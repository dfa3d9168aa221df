import { APPROVAL_RULES, decisionOn } from "../domain/approval.ts";
import type { Breakers } from "../domain/breaker.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { pathIn } from "../domain/handover.ts";
import { redacted } from "../domain/redact.ts";
import type { Step, ToolCall } from "../domain/run.ts";
import type { Sender } from "../domain/signal.ts";
import type { Hold, ParkedRun, Run, RunResult } from "../ports/agent.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Equipment, Tool, ToolCaller } from "../ports/tool.ts";
import { type Agent, type RunObserver, withinLimitsOf } from "./agent.ts";
import { answerCacheOf } from "./answer-cache.ts";
import {
  asksFirst,
  chosenAnswer,
  isOvertaken,
  questionOn,
  refusedCall,
  rulingOn,
  rulingOnAsked,
} from "./approval.ts";
import { askAgent } from "./ask-agent.ts";
import { type AskedAgent, agentTool, NOBODY_HERE } from "./asked-agent.ts";
import { Compactor } from "./compaction.ts";
import { brokenOff, finished, limited, overToday } from "./ending.ts";
import { isGuarded, refusedByGuard } from "./guard.ts";
import { HAND_OVER, handOverTool, handoverBy } from "./hand-over.ts";
import { Ledger } from "./ledger.ts";
import { recordable, withFilesKept } from "./made-files.ts";
import { callModel } from "./model-call.ts";
import { Payments } from "./payments.ts";
import { type Action, nextAction, notShown, pausedText } from "./progress.ts";
import { frameOf, withMemory } from "./prompt.ts";
import { OutOfTime, timed } from "./signals.ts";
import { promptTokens } from "./tokens.ts";
import {
  type CallResult,
  callTool,
  onlyOwn,
  overtakenCall,
  type ToolResult,
  unknownOutcome,
  unknownTool,
} from "./tool-call.ts";
import { turnAbout } from "./turn-about.ts";

export interface TurnDeps {
  /** By name. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: RunObserver;
  /** Of models, by `provider/model`. */
  readonly breakers: Breakers;
}

/** One run on its way: the recorded steps, and what the next one needs. */
export class TurnRun {
  readonly #run: Run;
  /** Who is at work, with the limits of whoever the run began with. */
  #agent: Agent;
  readonly #hold: Hold;
  readonly #deps: TurnDeps;
  readonly #steps: Step[];
  readonly #ledger: Ledger;
  #payments: Payments;
  readonly #compaction: Compactor;
  readonly #deadlineMs: number;
  readonly #caller: ToolCaller;
  /** Who waits for its answer beside people, oneself last. */
  readonly #above: readonly string[];
  /** Null: not looked at yet. */
  #equipment: Equipment | null = null;
  /** What the run answers beside its first message. */
  #joined: readonly TriggerEvent[];
  /** Of the answer that is being given right now. */
  #saying = "";
  #hasLostRecord = false;

  constructor(run: Run, agent: Agent, hold: Hold, deps: TurnDeps, above: readonly string[] = []) {
    this.#run = run;
    const [origin] = pathIn(run.steps);
    const first = (origin === undefined ? undefined : deps.agents.get(origin)) ?? agent;
    this.#agent = withinLimitsOf(first, agent);
    this.#hold = hold;
    this.#above = [...above, agent.name];
    this.#deps = deps;
    this.#steps = [...run.steps];
    this.#ledger = new Ledger(() => this.#agent.limits, this.#steps);
    this.#payments = new Payments(this.#steps, () => this.#record(), hold.allowance);
    this.#joined = run.joined ?? [];
    this.#compaction = new Compactor(run, deps);
    this.#caller = { runId: run.id, event: run.event, history: run.history };
    this.#deadlineMs = run.startedAtMs + (run.restedMs ?? 0) + first.limits.maxExecutionMs;
  }

  get agent(): Agent {
    return this.#agent;
  }

  async toItsEnd(signal: AbortSignal): Promise<RunResult | ParkedRun> {
    const lastMs = this.#deadlineMs + (this.#agent.limits.graceMs ?? 0);
    this.#payments.again();
    try {
      return await this.#until(lastMs, signal, (scope) => this.#loop(scope));
    } catch (error) {
      return this.#brokenOff(error);
    } finally {
      this.#payments.release();
    }
  }

  /** Throws the reason of an abort, whatever broke because of it. */
  async #until<T>(atMs: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#deps;
    const scope = timed(signal, atMs - clock.nowMs(), () => new OutOfTime(), clock);
    try {
      return await work(scope.signal);
    } catch (error) {
      // What was not recorded belongs to whoever holds the run now.
      if (!this.#hasLostRecord) scope.signal.throwIfAborted();
      throw error;
    } finally {
      scope.end();
    }
  }

  /** Bounded: each round records a step, and the number of model calls is limited, as are the tools of each answer. */
  async #loop(signal: AbortSignal): Promise<RunResult | ParkedRun> {
    for (;;) {
      const action = nextAction(this.#steps);
      // An answer that is already paid for is given even when the run is being stopped.
      if (action.kind === "finish") {
        if (!this.#takeIn()) return finished(this.#steps, action.last);
        continue;
      }
      signal.throwIfAborted();
      // An answer that is being given has its grace; nothing is begun in it.
      if (this.#deps.clock.nowMs() >= this.#deadlineMs) throw new OutOfTime();
      // Also before tools: their results would come to nobody.
      if (!this.#ledger.hasStepsLeft()) return limited(this.#steps, "out-of-steps", this.#agent.limits);
      const end =
        action.kind === "ask"
          ? await this.#ask(signal)
          : await this.#until(this.#deadlineMs, signal, (scope) => this.#useTool(action, scope));
      if (end !== undefined) return end;
    }
  }

  /** Shows the model what was joined to the event since. Recorded with the next step, for the model sees it there first. */
  #takeIn(): boolean {
    const news = notShown(this.#joined, this.#steps);
    for (const { id } of news) this.#steps.push({ kind: "joined", eventId: id });
    return news.length > 0;
  }

  /** Looked at anew before each call of the model, for tools may come and go. */
  async #equip(signal: AbortSignal): Promise<Equipment> {
    const { toolbox, handOver = [], asks = [] } = this.#agent;
    const tools = [
      ...this.#agent.tools,
      ...asks.map(agentTool),
      ...(handOver.length > 0 ? [handOverTool(handOver)] : []),
    ];
    const more = await toolbox?.open(this.#caller, signal);
    this.#equipment = more === undefined ? onlyOwn(tools) : { ...more, tools: [...more.tools, ...tools] };
    return this.#equipment;
  }

  /** Gives a result when the run must end without the call. */
  async #ask(signal: AbortSignal): Promise<RunResult | undefined> {
    const { limits } = this.#agent;
    this.#joined = (await this.#hold.join?.()) ?? this.#joined;
    this.#takeIn();
    const equipment = await this.#equip(signal);
    const frame = frameOf(this.#run, this.#agent, this.#steps, equipment, this.#joined);
    const paused = pausedText(this.#steps);
    const paying = { ...this.#calling(signal), payments: this.#payments };
    await this.#compaction.before(frame, this.#steps, paying, (step) => this.#keep(step));
    const prompt = withMemory(frame, this.#run, this.#steps);
    const maxTokens = this.#ledger.answerTokens(frame.fixedTokens + promptTokens(prompt.messages));
    if (maxTokens === null) return limited(this.#steps, "out-of-tokens", limits);
    const call = {
      ...paying,
      prompt: {
        ...prompt,
        maxTokens,
        about: turnAbout(paying, this.#run, this.#steps, this.#joined, this.#deps),
      },
      said: (text: string) => {
        this.#saying = text;
        this.#hold.showing?.(text === "" ? "" : paused + text);
      },
    };
    const { answers } = this.#hold;
    const asking = { agent: this.#agent, steps: this.#steps, answers, observe: this.#deps.observe };
    const cache = answerCacheOf(call.prompt, asking);
    const before = await cache?.find();
    if (before != null) return await this.#keep(before);
    const answer = await callModel(call, this.#deps);
    if (answer.kind === "too-dear") return limited(this.#steps, "out-of-money", limits);
    if (answer.kind === "over") return overToday(this.#steps, answer.over);
    this.#saying = "";
    const step = await withFilesKept(answer, this.#hold);
    await this.#keep(step);
    cache?.keep(step);
    return undefined;
  }

  /** Gives how long the run is parked, when somebody must decide first. */
  async #useTool(
    action: Extract<Action, { kind: "tool" }>,
    signal: AbortSignal,
  ): Promise<ParkedRun | undefined> {
    const { call } = action;
    if (call.name === HAND_OVER && this.#agent.handOver !== undefined) {
      await this.#handOver(call);
      return undefined;
    }
    const overtaken = await this.#overtaken(action, signal);
    if (overtaken !== null) return await this.#answer(call, overtaken);
    const asked = this.#agent.asks?.find(({ name }) => name === call.name);
    if (asked !== undefined) return await this.#answer(call, await this.#askAgent(call, asked, signal));
    const { tools } = this.#equipment ?? (await this.#equip(signal));
    const tool = tools.find(({ name }) => name === call.name);
    // What people were asked they decide, whatever the configuration says of that tool meanwhile.
    const question = questionOn(call, this.#steps);
    const early = question === null ? await this.#refused(action, tool, signal) : null;
    if (early !== null) return await this.#answer(call, early);
    const ruling =
      question !== null
        ? await rulingOnAsked(question, this.#asking)
        : asksFirst(tool)
          ? await rulingOn(call, tool, this.#asking)
          : null;
    if (ruling?.kind === "waiting") return { outcome: "parked", untilMs: ruling.untilMs, steps: this.#steps };
    if (ruling?.kind === "tool-decided" && tool?.offers !== undefined)
      return await this.#answer(call, chosenAnswer(ruling, tool.offers(call.input)));
    const isApproved = ruling?.kind === "tool-decided" && ruling.verdict === "approved";
    // A guard of its own it may have been given since it was asked about.
    const late = question !== null && isApproved ? await this.#refused(action, tool, signal) : null;
    if (late !== null) return await this.#answer(call, late);
    const given =
      ruling === null || isApproved
        ? await this.#resultOf(action, tool, signal, ruling?.by ?? undefined)
        : refusedCall(ruling);
    return await this.#answer(call, await recordable(given, this.#steps, this.#hold));
  }

  /**
   * Of a run that a message has interrupted, what is left of the last answer is not done, and nothing of it is begun once more:
   * the model says what comes next. Null: it is to be done. What somebody is asked is taken back with its question.
   */
  async #overtaken(
    { call, mayHaveRun }: Extract<Action, { kind: "tool" }>,
    signal: AbortSignal,
  ): Promise<ToolResult | null> {
    const question = questionOn(call, this.#steps);
    const isOpen = question !== null && decisionOn(question, this.#steps)?.verdict !== "approved";
    if (isOpen || question?.choices !== undefined) return null;
    if (!(await isOvertaken(this.#hold, this.#steps))) return null;
    const isAsked = this.#agent.asks?.some(({ name }) => name === call.name) === true;
    const isBegun = mayHaveRun || (isAsked && this.#steps.at(-1)?.kind === "agent");
    if (!isBegun) return overtakenCall();
    const { tools } = this.#equipment ?? (await this.#equip(signal));
    const isRead = tools.find(({ name }) => name === call.name)?.effect === "read" && !isAsked;
    if (isRead) return overtakenCall();
    return unknownOutcome(call, { agent: this.#agent.name, observe: this.#deps.observe });
  }

  async #answer(
    { id: callId }: ToolCall,
    result: Awaited<ReturnType<typeof recordable>>,
  ): Promise<undefined> {
    await this.#keep({ kind: "tool", callId, ...result });
    return undefined;
  }

  /** Recorded with the step by which the run is another's: whoever goes on after a crash goes on as that one. */
  async #handOver(call: ToolCall): Promise<void> {
    const { name: from, handOver: colleagues = [] } = this.#agent;
    const { agents } = this.#deps;
    const handed = handoverBy(call, {
      ...{ from, colleagues, path: pathIn(this.#steps) },
      isThere: (agent) => agents.has(agent),
      isPaused: (agent) => this.#hold.isPaused?.(agent) ?? false,
    });
    if (typeof handed === "string")
      return await this.#keep({ kind: "tool", callId: call.id, result: handed, isError: true });
    const result = `handed over to ${handed.to}`;
    await this.#keep({ kind: "tool", callId: call.id, result, isError: false, handed });
    const next = agents.get(handed.to);
    if (next === undefined) throw new Error(`Expected the agent ${handed.to}, got nothing`);
    this.#agent = withinLimitsOf(this.#agent, next);
    this.#equipment = null;
    const allowance = this.#hold.allowanceOf?.(next.name) ?? this.#hold.allowance;
    this.#payments = new Payments(this.#steps, () => this.#record(), allowance);
  }

  #askAgent(call: ToolCall, asked: AskedAgent, signal: AbortSignal): Promise<ToolResult> {
    const [asker, hold, steps, above] = [this.#agent, this.#hold, this.#steps, this.#above];
    return askAgent(call, asked, {
      ...{ run: this.#run, asker, hold, steps, above, record: () => this.#record() },
      ...{ agents: this.#deps.agents, clock: this.#deps.clock },
      begin: (run, agent, inner) => new TurnRun(run, agent, inner, this.#deps, above).toItsEnd(signal),
    });
  }

  #calling(signal: AbortSignal) {
    const [ledger, hold, deadlineMs] = [this.#ledger, this.#hold, this.#deadlineMs];
    return { agent: this.#agent, ledger, hold, deadlineMs, signal };
  }

  /** A call that is not made, and about which nobody is asked; null: this is none. */
  async #refused(
    { call, mayHaveRun }: Extract<Action, { kind: "tool" }>,
    tool: Tool | undefined,
    signal: AbortSignal,
  ): Promise<ToolResult | null> {
    if (asksFirst(tool) && this.#above.length > 1) return { result: NOBODY_HERE, isError: true };
    if (mayHaveRun || !isGuarded(this.#agent, tool)) return null;
    return await refusedByGuard(call, tool, {
      ...{ runId: this.#run.id, event: this.#run.event, joined: this.#joined, steps: this.#steps },
      record: () => this.#record(),
      allowance: this.#hold.allowanceOf?.(this.#agent.name) ?? this.#hold.allowance,
      ...{ paying: this.#calling(signal), deps: this.#deps },
    });
  }

  get #asking(): Parameters<typeof rulingOnAsked>[1] {
    return {
      ...{ runId: this.#run.id, steps: this.#steps, hold: this.#hold, event: this.#run.event },
      keep: (step) => this.#keep(step),
      clock: this.#deps.clock,
      rules: this.#agent.approvals ?? APPROVAL_RULES,
    };
  }

  async #resultOf(
    { call, mayHaveRun }: Extract<Action, { kind: "tool" }>,
    tool: Tool | undefined,
    signal: AbortSignal,
    approvedBy?: Sender,
  ): Promise<CallResult> {
    const { name: agent, tools, limits } = this.#agent;
    const deps = {
      agent,
      timeoutMs: limits.toolTimeoutMs,
      clock: this.#deps.clock,
      observe: this.#deps.observe,
      ensure: () => this.#hold.ensure(),
      caller: this.#caller,
      approvedBy,
    };
    if (mayHaveRun && tool?.repeatable !== true) return unknownOutcome(call, deps);
    if (tool === undefined) {
      const equipment = this.#equipment ?? onlyOwn(tools);
      return unknownTool(call, equipment.tools, equipment.whyMissing(call.name));
    }
    if (!mayHaveRun) {
      // Before the call: whoever goes on after a crash must know that it may have run.
      await this.#keep({ kind: "tool-started", callId: call.id });
      signal.throwIfAborted();
    }
    return callTool(tool, call, signal, deps);
  }

  async #keep(step: Step): Promise<undefined> {
    this.#steps.push(step);
    // Of the last one the answer is made, which is written right behind it and says whether the run is still ours.
    if (nextAction(this.#steps).kind === "finish") this.#hold.record([...this.#steps]).catch(() => {});
    else await this.#record();
  }

  async #record(): Promise<void> {
    try {
      await this.#hold.record([...this.#steps]);
    } catch (error) {
      this.#hasLostRecord = true;
      throw error;
    }
  }

  #brokenOff(error: unknown): RunResult {
    if (this.#hasLostRecord) throw error;
    const ended = brokenOff(error, this.#steps, this.#agent.limits, redacted(this.#saying));
    if (ended === null) throw error;
    return ended;
  }
}
