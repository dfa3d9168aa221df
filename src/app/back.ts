import { admit } from "../admit/admit.ts";
import type { AdmissionPolicy } from "../admit/policy.ts";
import { inRoles } from "../admit/roles.ts";
import type { GatewaySpec } from "../config/schema.ts";
import { Dispatcher } from "../dispatch/dispatcher.ts";
import { recallFor } from "../dispatch/memory.ts";
import { countsMerged } from "../dispatch/merged.ts";
import { Selection } from "../dispatch/selection.ts";
import { LEASE_MS } from "../domain/bounds.ts";
import type { Breakers } from "../domain/breaker.ts";
import { commandName, modelKeyOf, quietMsOf } from "../domain/route.ts";
import { type Observer, observedQueue } from "../feed/observed.ts";
import { toldQueue } from "../hooks/told-queue.ts";
import type { Adapter, Render } from "../ports/adapter.ts";
import type { Audit } from "../ports/audit.ts";
import type { Clock, NewId, Random } from "../ports/clock.ts";
import type { Hooks } from "../ports/hooks.ts";
import type { Media } from "../ports/media.ts";
import type { Job, Queue, Settlement } from "../ports/queue.ts";
import type { Store } from "../ports/store.ts";
import { Previews } from "../reply/preview.ts";
import { type WaitingDeps, WaitNotices } from "../reply/waiting.ts";
import { createAgentChoices } from "../store/agent-choices.ts";
import { createAnswers } from "../store/answers.ts";
import { createFeedback } from "../store/feedback.ts";
import { createGrants } from "../store/grants.ts";
import { createNotebooks } from "../store/notebooks.ts";
import { createQuestions } from "../store/questions.ts";
import { createShownMenus } from "../store/shown-menus.ts";
import { type Keeping, withUnwritten } from "../store/unwritten.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { NO_TRACING, type Tracing } from "../telemetry/trace.ts";
import type { WorkerDeps } from "../worker/deps.ts";
import { work } from "../worker.ts";
import type { BuiltAgents } from "./agents.ts";
import { dayBudgetsOf } from "./day-budgets.ts";
import { deskOf } from "./desk.ts";
import { guideOf } from "./guide.ts";
import { tracedAdapters, tracedRuntime, tracedWork } from "./traced.ts";

export interface BackRules {
  readonly agents: Pick<
    BuiltAgents,
    "runtime" | "memory" | "quietMs" | "shown" | "modelNames" | "approvers"
  > &
    Partial<Pick<BuiltAgents, "menus">>;
  readonly spec: GatewaySpec;
  readonly policy: AdmissionPolicy;
}

export interface BackOptions {
  readonly store: Pick<Store, "queue" | "outbox" | "memory" | "lanes" | "purse" | "vault" | "bus">;
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** As they are now. A job goes on with those that it began with. */
  readonly rules: () => BackRules;
  readonly render: Render;
  readonly breakers: Breakers;
  /** Where files of messages are kept; absent: none is read. */
  readonly media?: Media;
  /** Of one file there, at most. */
  readonly mediaFileBytes?: number;
  /** Absent: nobody keeps who decides what. */
  readonly audit?: Audit;
  readonly feed: Observer["feed"];
  /** Absent: nobody is told of anything. */
  readonly hooks?: Hooks;
  readonly isPaused: WorkerDeps["isPaused"];
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly leaseMs?: number | undefined;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing;
  /** Surrounds the work on each job, for a proof that looks on. */
  readonly around?: (job: Job, work: () => Promise<Settlement>) => Promise<Settlement>;
}

/** From a claim to the settlement. */
export interface Back {
  readonly dispatcher: Pick<Dispatcher, "start" | "stop" | "lastBeatMs" | "running">;
  /** What the store could not take so far. */
  readonly unwritten: Pick<Keeping, "writeAll" | "left">;
}

const RETRY_BASE_MS = 2_000;
const FORGOTTEN =
  "More is known that the store does not take than is kept in memory: the oldest of it is done again when there is room.";

export function composeBack(options: BackOptions): Back {
  const { store, rules, clock, random, log, metrics, tracing = NO_TRACING } = options;
  const { around = tracedWork(tracing, () => clock.nowMs()) } = options;
  const unwritten = withUnwritten(store, () => log.error({ note: FORGOTTEN }, "store.unwritten"));
  const waiting = new WaitNotices(patienceOf(rules, clock));
  const observed = observedQueue(countsMerged(unwritten.queue, metrics), { feed: options.feed, clock });
  const queue = options.hooks === undefined ? observed : toldQueue(observed, options.hooks, clock);
  const now = ofEach(rules, (ours) => ({
    deps: workerDeps(options, ours, { queue, unwritten, waiting }),
    memory: recallFor(ours.agents.memory),
  }));
  const dispatcher = new Dispatcher({
    queue,
    bus: store.bus,
    clock,
    random,
    work(job, signals) {
      if (job.crashes > 0) metrics.crashes.inc({ platform: job.event.platform });
      const { deps } = now();
      return around(job, () => work(job, deps, signals));
    },
    retry: {
      get attemptsMax() {
        return rules().spec.replies.attempts;
      },
      baseMs: RETRY_BASE_MS,
    },
    get concurrency() {
      return rules().spec.queue.concurrency;
    },
    leaseMs: options.leaseMs ?? LEASE_MS,
    get memory() {
      return now().memory;
    },
    log,
    metrics,
  });
  return { dispatcher, unwritten };
}

/** What is made of something, and made anew when that is another. */
function ofEach<T extends object, M>(current: () => T, make: (of: T) => M): () => M {
  let last: { readonly of: T; readonly made: M } | null = null;
  return () => {
    const of = current();
    if (last?.of !== of) last = { of, made: make(of) };
    return last.made;
  };
}

function workerDeps(
  options: BackOptions,
  { agents, spec, policy }: BackRules,
  {
    queue,
    unwritten,
    waiting,
  }: { readonly queue: Queue; readonly unwritten: Keeping; readonly waiting: WaitNotices },
): WorkerDeps {
  const { store, adapters, render, breakers, media, isPaused, version, clock, newId, log, metrics } = options;
  const { tracing = NO_TRACING, hooks } = options;
  const { routes, chosenBy } = policy;
  const questions = createQuestions(store.vault);
  const grants = createGrants(store.vault);
  const answers = createAnswers(store.vault, clock);
  const { memory, lanes } = store;
  const withModel = spec.commands.filter(({ model }) => model !== undefined);
  const ofCommands = new Set(withModel.map(({ command }) => commandName(command)));

  const selection = new Selection({
    routes,
    agents: chosenBy ?? new Map(),
    choices: createAgentChoices(store.vault, clock),
  });

  const guide = guideOf(spec, routes, agents.menus);

  return {
    queue,
    memory,
    adapters: tracedAdapters(adapters, tracing),
    runtime: tracedRuntime(agents.runtime, tracing),
    routes,
    selection,
    agents: agents.memory,
    quietMsOf: (event, agent) => quietMsOf(event, routes, agents.quietMs, agent),
    guide,
    ...(guide.hasMenus && { menus: createShownMenus(store.vault, clock) }),
    control: {
      memory: {
        async forget(conversation, untilEventId) {
          await memory.forget(conversation, untilEventId);
          await media?.forget(conversation);
        },
      },
      answers,
      lanes,
      describeAgent: (name) => ({ name, model: agents.modelNames.get(name) ?? "an unknown model" }),
      questions,
      grants,
      notebooks: createNotebooks(store.vault),
      desk: deskOf(store, () => spec, clock),
      remembersBy: (agent) => agents.memory.get(agent)?.by,
      ...(options.audit !== undefined && { audit: options.audit }),
      approversOf: (agent) => agents.approvers.get(agent) ?? null,
      clock,
      isPaused,
      version,
    },
    roles: {
      named: (platform) => policy.platforms[platform].rolesNamed ?? new Set(),
      admitAgain(event, roles) {
        const admission = admit(inRoles(event, roles), policy, clock.nowMs());
        return admission.kind === "offer" ? admission.offer : null;
      },
    },
    render,
    delivery: { outbox: unwritten.outbox, breakers, inDoubt: spec.replies.in_doubt, log, metrics },
    allowanceOf: dayBudgetsOf({ ...options, spec }),
    modelOf: (event, agent) => modelKeyOf(event, routes, ofCommands, agent),
    attemptsMax: spec.replies.attempts,
    answers,
    questions: { questions, grants, ...(hooks && { hooks }) },
    ...(hooks && { hooks }),
    waiting,
    waitMsMax: spec.max_age_seconds === "off" ? Infinity : spec.max_age_seconds * 1000,
    ...(media && {
      files: { media, limits: fileLimitsOf(spec, options.mediaFileBytes), clock, log, metrics },
    }),
    hearsPresses: (platform) => spec.platforms[platform]?.buttons !== "ignore",
    feedback: createFeedback(store.vault, clock),
    ...previewsOf(options, { agents, spec }),
    isPaused,
    clock,
    newId,
    log,
    metrics,
  };
}

function fileLimitsOf({ media }: GatewaySpec, fileBytesMax = Infinity) {
  return { fileBytes: Math.min(media.file_bytes, fileBytesMax), eventBytes: media.event_bytes };
}

/** Where what may have been said is left as it is, that could be half an answer for good. */
function previewsOf(
  { render, clock, metrics }: BackOptions,
  { agents, spec }: Omit<BackRules, "policy">,
): Pick<WorkerDeps, "previews"> {
  if (spec.replies.in_doubt === "leave") return {};
  return { previews: new Previews({ agents: agents.shown, render, clock, metrics }) };
}

/** When who waits is told. Who was is known whatever rules there are now. */
function patienceOf(rules: () => BackRules, clock: Clock): WaitingDeps {
  const notices = () => rules().spec.notices;
  return {
    get afterMs() {
      const { waiting_seconds } = notices();
      return waiting_seconds === "off" ? null : waiting_seconds * 1000;
    },
    get windowMs() {
      return notices().window_seconds * 1000;
    },
    clock,
  };
}
