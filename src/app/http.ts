import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { Callers } from "../admin/callers.ts";
import { LiveServer } from "../admin/live/server.ts";
import type { AdmissionPolicy } from "../admit/policy.ts";
import type { Config } from "../config/load.ts";
import type { GatewaySpec } from "../config/schema.ts";
import { createConsole } from "../console/index.ts";
import { Calendar } from "../domain/day.ts";
import type { LifeFeed } from "../feed/life-feed.ts";
import { RefusalFeed, refusalView } from "../feed/refusal.ts";
import { Guesses } from "../ingress/guesses.ts";
import type { Health } from "../ingress/health.ts";
import type { WebhookSource } from "../ingress/reception.ts";
import { type Noted, RequestRecorder } from "../ingress/recorder.ts";
import { createServers, type ServerDeps } from "../ingress/server.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Audit } from "../ports/audit.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { HookDesk } from "../ports/hooks.ts";
import type { Privacy } from "../ports/privacy.ts";
import type { ScheduleDesk } from "../ports/schedules.ts";
import type { Siblings } from "../ports/siblings.ts";
import type { StillFile } from "../ports/still-file.ts";
import type { Store } from "../ports/store.ts";
import type { ToolDesk } from "../ports/tool-desk.ts";
import { textMatches } from "../shared/hmac.ts";
import { createSaidKeys } from "../store/said-keys.ts";
import { createTokens } from "../store/tokens.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type AdminSetup, buildAdmin } from "./admin.ts";
import type { KindOfBreaker } from "./breaker-watch.ts";
import type { RunControls } from "./controls.ts";
import { dayLimitsOf } from "./day-budgets.ts";
import type { Developers } from "./developers.ts";
import { hostRulesOf, watchRulesOf } from "./edge.ts";
import type { Front } from "./front.ts";
import type { KillSwitch } from "./kill-switch.ts";
import { createNotices } from "./notices.ts";
import { wordsOf } from "./platforms.ts";
import type { Replicas } from "./replicas.ts";
import { createTasks } from "./tasks.ts";

export interface HttpOptions {
  readonly config: Config;
  readonly store: Store;
  /** The database file of this process, for whoever copies it; null: there is none. */
  readonly still: StillFile | null;
  readonly siblings: Siblings | null;
  readonly housekeeping: AdminSetup["housekeeping"];
  readonly front: Front;
  /** Of the platforms that are on. */
  readonly adapters: readonly Adapter[];
  /** As they are now. */
  readonly policy: () => AdmissionPolicy;
  readonly spec: () => GatewaySpec;
  /** Names of those that there are now. */
  readonly agents: () => readonly string[];
  /** Those for which the demo model answers, because there is no key of theirs. */
  readonly demoAgents: () => readonly string[];
  readonly killSwitch: KillSwitch;
  readonly controls: RunControls;
  readonly breakers: () => readonly KindOfBreaker[];
  readonly replicas: Replicas;
  readonly hooks: HookDesk;
  readonly schedules: ScheduleDesk;
  readonly tools: ToolDesk;
  /** `writeNotes`: what this process has not written yet of the latest requests. */
  readonly privacy: (writeNotes: () => Promise<void>) => Privacy;
  readonly audit: Audit;
  readonly health: Health;
  readonly feed: LifeFeed;
  readonly developers: Developers;
  readonly version: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
}

/** All that is asked over HTTP. */
export interface Http {
  readonly server: Server;
  /** For operators alone, where they have a port of their own. */
  readonly watch: Server | null;
  /** Keeps in mind what became of something that came in. */
  readonly note: (noted: Noted) => void;
  /** Writes the last notes of requests. */
  flush(): Promise<void>;
  /** Whoever watches over WebSocket goes; they are told so when the process begins to stop. */
  leave(): Promise<void>;
  close(): void;
}

export function composeHttp(options: HttpOptions): Http {
  const { config, store, policy, feed, developers, version, clock, newId, log, metrics, stopping } = options;
  const { gateway: spec, environment } = config;
  const refusals = new RefusalFeed({ bus: store.bus, clock });
  const recorder = new RequestRecorder({
    requests: store.requests,
    refusedMax: spec.retention.refusals,
    maxAgeMs: spec.retention.finished_seconds * 1000,
    clock,
    newId,
    log,
    metrics,
    heard(note) {
      if (refusals.isWatched) refusals.publish(refusalView(note));
    },
  });
  const adapters = new Map(options.adapters.map((adapter) => [adapter.platform, adapter]));
  const note = (noted: Noted) => recorder.note(noted);
  const tokens = createTokens({ vault: store.vault, bus: store.bus, clock, newId, randomBytes });
  const callers = new Callers({ token: environment.adminToken, tokens, clock });
  const hosts = hostRulesOf(environment);
  const guesses = new Guesses({ clock, log, metrics, audit: options.audit });
  const wrongToken: AdminSetup["wrongToken"] = (guess) => guesses.refuse("admin", guess);
  const live = new LiveServer({
    ...{ feed, callers, wrongToken, clock, log, metrics, stopping },
    isOn: environment.adminToken !== null,
    origins: hosts,
  });
  const { server, watch } = createServers({
    guesses,
    live,
    sources: options.adapters.flatMap((adapter) => sourceOf(adapter, options)),
    pages: options.adapters.flatMap(({ pages = [] }) => pages),
    takesWebhooks: environment.role !== "worker",
    hosts,
    watch: watchRulesOf(environment),
    ...consoleOf(options),
    health: options.health,
    admin: buildAdmin({
      store,
      audit: options.audit,
      policy,
      token: environment.adminToken,
      tokens,
      callers,
      wrongToken,
      agents: options.agents,
      killSwitch: options.killSwitch,
      controls: options.controls,
      breakers: options.breakers,
      configuredLimits: () => options.spec().limits,
      still: options.still,
      siblings: options.siblings,
      housekeeping: options.housekeeping,
      ready: () => options.health.ready(),
      replicas: options.replicas,
      hooks: options.hooks,
      notices: createNotices({
        adapters,
        places: () => options.spec().notify,
        keys: createSaidKeys(store.vault),
        ...{ clock, newId },
      }),
      schedules: options.schedules,
      tools: options.tools,
      tasks: createTasks({
        inbox: options.front.inbox,
        journal: store.journal,
        adapters,
        policy,
        clock,
        newId,
      }),
      privacy: options.privacy(() => recorder.flush()),
      feed,
      refusals,
      budgets: () => budgetsOf(options.spec()),
      writeNotes: () => recorder.flush(),
      clock,
      newId,
      log,
      metrics,
      version,
      wordsOf: wordsOf(config.modules),
      installations: new Map(
        options.adapters.flatMap(({ platform, installations }) =>
          installations === undefined ? [] : [[platform, installations] as const],
        ),
      ),
      stopping,
    }),
    newRequestId: () => newId("req"),
    note,
    isDeveloper: (key) => developers.key !== null && textMatches([developers.key], key),
    clock,
    log,
    metrics,
  });
  return {
    ...{ server, watch, note },
    flush: () => recorder.stop(),
    leave: () => live.leave(),
    close() {
      refusals.close();
      callers.close();
    },
  };
}

function consoleOf({ config, developers, demoAgents, version }: HttpOptions): Pick<ServerDeps, "console"> {
  const { console: whom, adminToken, role } = config.environment;
  if (whom === "off") return {};
  const door = developers.open ? "open" : developers.key === null ? "off" : "key";
  const page = createConsole(() => ({
    isApiOn: adminToken !== null,
    playground: role === "worker" ? "off" : door,
    isDemo: demoAgents().length > 0,
    version,
  }));
  return { console: { isForAll: whom === "on", answer: () => page.answer() } };
}

function budgetsOf(spec: GatewaySpec) {
  return { limits: dayLimitsOf(spec), calendar: new Calendar(spec.budgets.time_zone) };
}

function sourceOf(
  adapter: Adapter,
  { front, store, stopping }: Pick<HttpOptions, "front" | "store" | "stopping">,
): readonly WebhookSource[] {
  const { platform, webhook } = adapter;
  if (webhook === null) return [];
  const waitForReply = adapter.waitForReply?.bind(adapter);
  const source: WebhookSource = {
    platform,
    webhook,
    screen: (head) => front.screen(head, platform),
    receive: (request) => front.receive(request, platform),
    ...(waitForReply !== undefined && {
      waitForReply: async (eventId, signal) =>
        (await recordedReply(eventId, store)) ??
        (await waitForReply(eventId, AbortSignal.any([signal, stopping]))),
    }),
  };
  return [source];
}

/** What was said to an event that is done: the replica that said it may be gone. */
async function recordedReply(eventId: string, { journal }: Pick<Store, "journal">): Promise<string | null> {
  const record = await journal.find(eventId).catch(() => null); // Away: whoever waits may still hear it.
  return record?.state === "done" ? (record.progress?.answer?.text ?? null) : null;
}
