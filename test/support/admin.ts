import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { createTestAdapter } from "../../adapters/test/adapter.ts";
import { Callers } from "../../src/admin/callers.ts";
import { LiveServer } from "../../src/admin/live/server.ts";
import type { AdmissionPolicy } from "../../src/admit/policy.ts";
import { type AdminSetup, buildAdmin } from "../../src/app/admin.ts";
import { AuditTrail } from "../../src/app/audit-trail.ts";
import { RunControls } from "../../src/app/controls.ts";
import { KillSwitch } from "../../src/app/kill-switch.ts";
import { createNotices } from "../../src/app/notices.ts";
import { wordsOf } from "../../src/app/platforms.ts";
import { createPrivacy } from "../../src/app/privacy/index.ts";
import { Replicas } from "../../src/app/replicas.ts";
import { Schedules } from "../../src/app/schedules.ts";
import { createTasks } from "../../src/app/tasks.ts";
import type { NotifySpec } from "../../src/config/notify-schema.ts";
import type { ScheduleSpec } from "../../src/config/schedules-schema.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { Calendar } from "../../src/domain/day.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { type Answer, NO_USAGE, type Progress } from "../../src/domain/run.ts";
import { LifeFeed } from "../../src/feed/life-feed.ts";
import { observedInbox, observedQueue } from "../../src/feed/observed.ts";
import { RefusalFeed, refusalView } from "../../src/feed/refusal.ts";
import { createHookDesk } from "../../src/hooks/desk.ts";
import { postHook } from "../../src/hooks/post.ts";
import type { HookTarget, WebhookTarget } from "../../src/hooks/target.ts";
import { Guesses } from "../../src/ingress/guesses.ts";
import type { ReadyReport } from "../../src/ingress/health.ts";
import { RequestRecorder } from "../../src/ingress/recorder.ts";
import { createServers } from "../../src/ingress/server.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Inbox } from "../../src/ports/inbox.ts";
import type { Queue, Settlement } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Tokens } from "../../src/ports/tokens.ts";
import type { ToolDesk } from "../../src/ports/tool-desk.ts";
import { Secret } from "../../src/shared/secret.ts";
import { createDeliveries, createHookStates } from "../../src/store/deliveries.ts";
import { createSaidKeys } from "../../src/store/said-keys.ts";
import { createTokens } from "../../src/store/tokens.ts";
import { createNewId } from "../../src/system/ids.ts";
import { type Logger, silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "./clock.ts";
import { anEvent } from "./event.ts";
import { everywhere, OPEN } from "./policy.ts";
import { anOffer, LEASE_MS, openTestStore } from "./store.ts";

export const TOKEN = "an-admin-token-of-at-least-32-characters";

export const POLICY: AdmissionPolicy = {
  platforms: everywhere(OPEN),
  limits: { user: null, conversation: null, tenant: null, global: null },
  routes: [{ match: {}, agent: "assistant" }],
  agents: new Map(),
  maxAgeMs: 86_400_000,
  noticeWindowMs: 600_000,
  isPaused: () => false,
};

const READY: ReadyReport = {
  status: "ready",
  version: "1.2.3",
  timestamp: "2026-11-30T00:00:00.000Z",
  components: {},
};

export interface AdminOptions {
  /** What /ready says. */
  readonly ready?: ReadyReport;
  readonly policy?: Partial<AdmissionPolicy>;
  /** Null: the API is off. */
  readonly token?: string | null;
  readonly limits?: { waitingPerLaneMax: number; waitingMax: number };
  readonly installations?: (store: Store, clock: FakeClock) => AdminSetup["installations"];
  readonly log?: Logger;
  readonly hooks?: readonly HookTarget[];
  readonly schedules?: readonly ScheduleSpec[];
  readonly tools?: ToolDesk;
  /** Where operators may say something; absent: nowhere. */
  readonly adapters?: ReadonlyMap<string, Adapter>;
  readonly places?: readonly NotifySpec[];
  /** Stands in for parts of the store, to make them fail. */
  readonly broken?: (
    store: Store,
  ) => Partial<Pick<Store, "journal" | "archive" | "bus" | "requests" | "audit" | "notes" | "vault">>;
}

export interface Admin {
  readonly metrics: Metrics;
  readonly killSwitch: KillSwitch;
  readonly clock: FakeClock;
  readonly store: Store;
  /** Tells what becomes of events. */
  readonly inbox: Inbox;
  readonly controls: RunControls;
  readonly breakers: Breakers;
  /** Looks at the clock once it is started. */
  readonly schedules: Schedules;
  readonly queue: Queue;
  readonly feed: LifeFeed;
  readonly refusals: RefusalFeed;
  /** What the ingress notes. */
  readonly recorder: RequestRecorder;
  /** The process goes down. */
  readonly stopping: AbortController;
  readonly tokens: Tokens;
  readonly live: LiveServer;
  /** A request as the server hands it on; with the token, unless headers say otherwise. */
  readonly ask: (path: string, init?: RequestInit & { duplex?: "half" }) => Promise<Response>;
  /** The same for a real connection. */
  readonly listen: () => Promise<string>;
  /** An event that was accepted, claimed, and settled in this way. */
  finish(event: Partial<TriggerEvent>, settlement: Settlement, progress?: Progress): Promise<void>;
  /** A dead letter. */
  bury(event: Partial<TriggerEvent>, cause?: string, progress?: Progress): Promise<void>;
}

const CONFIGURED_LIMITS = {
  user: { messages: 20, per_seconds: 60 },
  conversation: { messages: 60, per_seconds: 60 },
  tenant: { messages: 600, per_seconds: 60 },
  global: "off",
} as const;

const RETENTION = { finishedMs: 604_800_000, deadMs: 2_592_000_000, turnsMs: 604_800_000 };

/** The admin API over an empty store. */
export async function openAdmin(options: AdminOptions = {}): Promise<Admin> {
  const clock = new FakeClock();
  const store = await openTestStore(clock, options.limits);
  const stopping = new AbortController();
  const parts = { ...store, ...options.broken?.(store) };
  const feed = new LifeFeed({ bus: parts.bus, clock });
  const inbox = observedInbox(store.inbox, { feed, clock });
  const queue = observedQueue(store.queue, { feed, clock });
  const refusals = new RefusalFeed({ bus: parts.bus, clock });
  const recorder = new RequestRecorder({
    requests: parts.requests,
    refusedMax: 10_000,
    maxAgeMs: 604_800_000,
    clock,
    newId: createNewId(clock),
    log: silentLogger(),
    metrics: createMetrics(),
    heard(note) {
      if (refusals.isWatched) refusals.publish(refusalView(note));
    },
  });

  const policy = { ...POLICY, ...options.policy };
  const metrics = createMetrics();
  const killSwitch = new KillSwitch(metrics);
  const switching = { store: parts, isShared: false, clock, log: silentLogger() };
  await killSwitch.open(switching, stopping.signal);
  const log = options.log ?? silentLogger();
  const controls = new RunControls({
    log: silentLogger(),
    logLevel: "info",
    logLevels: {},
    setLevels: () => {},
  });
  const breakers = new Breakers(clock);
  controls.watch(breakers);
  await controls.open(switching, stopping.signal);
  const audit = new AuditTrail({ clock, newId: createNewId(clock), log: silentLogger(), metrics });
  audit.open(parts);
  const tester = { devKey: null, openOnLoopback: true, bus: parts.bus, newId: createNewId(clock) };
  const schedules = new Schedules({
    ...{ store: parts, isPaused: killSwitch.isPaused, specs: () => options.schedules ?? [] },
    adapters: new Map([["test", createTestAdapter({ ...tester, clock })]]),
    ...{ clock, log: silentLogger(), metrics },
  });
  const guesses = new Guesses({ clock, log: silentLogger(), metrics: createMetrics(), audit });
  const token = options.token === null ? null : new Secret(options.token ?? TOKEN);
  const tokens = createTokens({
    ...{ vault: parts.vault, bus: parts.bus, clock, newId: createNewId(clock), randomBytes },
  });
  const callers = new Callers({ token, tokens, clock });
  const wrongToken: AdminSetup["wrongToken"] = (guess) => guesses.refuse("admin", guess);
  const live = new LiveServer({
    ...{ feed, callers, wrongToken, clock, log, metrics, stopping: stopping.signal },
    ...{ isOn: token !== null, origins: { names: ["gateway.example", "*.corp.example"] } },
  });
  const api = buildAdmin({
    tokens,
    callers,
    audit,
    killSwitch,
    controls,
    configuredLimits: () => ({ ...CONFIGURED_LIMITS }),
    breakers: () => [
      { kind: "model", ...breakers.of("anthropic/claude-sonnet-5").report() },
      { kind: "platform", ...breakers.of("slack").report() },
    ],
    still: null,
    siblings: null,
    newId: createNewId(clock),
    schedules,
    tools: options.tools ?? { list: async () => [] },
    tasks: createTasks({
      ...{ inbox, journal: parts.journal, policy: () => policy, clock, newId: createNewId(clock) },
      adapters: new Map([["test", createTestAdapter({ ...tester, clock })]]),
    }),
    hooks: createHookDesk({
      deliveries: createDeliveries(parts.vault),
      states: createHookStates(parts.vault),
      ...{ bus: parts.bus, targets: () => options.hooks ?? [], version: "1.2.3", clock },
      newId: createNewId(clock),
      post: (target, ...rest) => postHook(target as WebhookTarget, ...rest),
    }),
    ready: async () => options.ready ?? READY,
    notices: createNotices({
      adapters: options.adapters ?? new Map(),
      places: () => options.places ?? [],
      keys: createSaidKeys(parts.vault),
      ...{ clock, newId: createNewId(clock) },
    }),
    replicas: new Replicas({
      ...{ vault: parts.vault, clock, log: silentLogger(), configuration: () => "c0ffee" },
      self: { id: "rep_1", host: "here", pid: 7, role: "all", version: "1.2.3", startedAtMs: clock.nowMs() },
    }),
    privacy: createPrivacy({
      ...{ store: parts, clock, writeNotes: () => recorder.flush() },
      media: { find: async () => null, forget: async () => {} },
      tellAll: async () => {},
    }),
    housekeeping: {
      retention: () => RETENTION,
      sweep: () => store.sweep(RETENTION),
    },
    agents: () => ["assistant"],
    metrics,
    store: parts,
    policy: () => policy,
    ...{ token, wrongToken },
    feed,
    refusals,
    writeNotes: () => recorder.flush(),
    budgets: () => ({
      limits: { user: 50, conversation: null, tenant: null, agent: null, global: 100 },
      calendar: new Calendar("Europe/Berlin"),
    }),
    installations: options.installations?.(store, clock) ?? new Map(),
    clock,
    log,
    version: "1.2.3",
    wordsOf: wordsOf(MODULES),
    stopping: stopping.signal,
  });

  async function finish(event: Partial<TriggerEvent>, settlement: Settlement, progress?: Progress) {
    const whole = anEvent({ occurredAtMs: clock.nowMs(), ...event });
    await inbox.accept(anOffer(whole));
    const jobs = await queue.claim({ jobsMax: 100, leaseMs: LEASE_MS });
    const job = jobs.find((one) => one.event.id === whole.id);
    if (job === undefined) throw new Error(`Expected to claim ${whole.id}, got ${jobs.length} others`);
    if (progress !== undefined) await queue.checkpoint(job, progress);
    await queue.settle(job, settlement);
  }

  return {
    metrics,
    killSwitch,
    controls,
    breakers,
    schedules,
    clock,
    store,
    inbox,
    queue,
    feed,
    refusals,
    recorder,
    stopping,
    tokens,
    live,
    finish,
    bury: (event, cause = "gave up", progress) => finish(event, { kind: "dead", cause }, progress),
    async ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
      const request = new Request(`http://gateway/api/v1${path}`, { ...init, headers });
      return await api.fetch(request, {
        requestId: "req_1",
        peer: "192.0.2.1",
        headers: { "x-content-type-options": "nosniff" },
      });
    },
    async listen() {
      const { server } = createServers({
        pages: [],
        sources: [],
        takesWebhooks: false,
        hosts: { bind: "127.0.0.1", names: [], isLocalOnly: true },
        watch: { isApart: false, tokens: [], needsToken: false },
        health: {
          alive: () => ({ status: "healthy", version: "1.2.3", uptime_seconds: 1 }),
          ready: async () => ({ status: "ready", version: "1", timestamp: "", components: {} }),
          webhooks: async () => ({ status: "ready", version: "1", timestamp: "", components: {} }),
          heartbeat: () => ({ status: "alive", last_beat: "", running: 0 }),
        },
        admin: api,
        live,
        newRequestId: () => "req_new",
        note: () => {},
        guesses,
        isDeveloper: () => false,
        clock,
        log: silentLogger(),
        metrics: createMetrics(),
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      onTestFinished(async () => {
        stopping.abort();
        await live.leave();
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
  };
}

/** A run that has come so far. */
export function aRun(answer: Partial<Answer> | null, changes: Partial<Progress> = {}): Progress {
  return {
    runId: "run_1",
    agent: "assistant",
    startedAtMs: 1_700_000_000_000,
    steps: [],
    answer: answer && {
      outcome: "answered",
      text: "hi",
      parts: ["{}" as ReplyPart],
      usage: NO_USAGE,
      ...answer,
    },
    ...changes,
  };
}

/** The lines of an answer, parsed. */
export async function linesOf<T = Record<string, unknown>>(response: Response): Promise<T[]> {
  const text = await response.text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

export function jsonBody(body: unknown): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
