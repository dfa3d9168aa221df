import type { Server } from "node:http";
import { hostname } from "node:os";
import type { BuiltAgents } from "./app/agents.ts";
import { AuditTrail } from "./app/audit-trail.ts";
import { composeBack } from "./app/back.ts";
import { showBackupAge } from "./app/backup-age.ts";
import {
  type BreakerWatchDeps,
  breakersOf,
  breakerWatch,
  reportsOf,
  restingReport,
  showBreakers,
} from "./app/breaker-watch.ts";
import { RunControls } from "./app/controls.ts";
import { deskOf } from "./app/desk.ts";
import { type Developers, developersOf, leaveDevKey } from "./app/developers.ts";
import { standForDuties } from "./app/duties.ts";
import type { Elected } from "./app/elected.ts";
import { composeFront, offerAgain } from "./app/front.ts";
import { createHealth, showHealth } from "./app/health.ts";
import { OperatorHooks } from "./app/hooks.ts";
import { createHousekeeping } from "./app/housekeeping.ts";
import { composeHttp } from "./app/http.ts";
import { invalidRequestsReport, showInvalidRequests } from "./app/invalid-requests.ts";
import { KillSwitch } from "./app/kill-switch.ts";
import { machineOf, showMachine } from "./app/machine.ts";
import { mediaKeeping, openMedia } from "./app/media.ts";
import { withoutPersons } from "./app/persons.ts";
import { PlatformWatch } from "./app/platform-watch.ts";
import { openForDevelopers, openForPrograms, openPlatforms } from "./app/platforms.ts";
import { retentionOf } from "./app/policy.ts";
import { Erasures } from "./app/privacy/erasures.ts";
import { createPrivacy } from "./app/privacy/index.ts";
import { createTenantSweep } from "./app/privacy/tenants.ts";
import { Rendering } from "./app/rendering/index.ts";
import { Replicas } from "./app/replicas.ts";
import { resealed } from "./app/resealing.ts";
import { openRules } from "./app/rules.ts";
import { Schedules } from "./app/schedules.ts";
import { selfCheck } from "./app/self-check.ts";
import { createSockets } from "./app/sockets.ts";
import { openStore } from "./app/store.ts";
import { ToolChoices } from "./app/tool-choices.ts";
import { serversOf } from "./app/tools.ts";
import { within } from "./app/within.ts";
import type { Config, Loaded } from "./config/load.ts";
import { DRAIN_MS } from "./domain/bounds.ts";
import { Breakers } from "./domain/breaker.ts";
import type { Platform } from "./domain/event.ts";
import { LifeFeed } from "./feed/life-feed.ts";
import type { ComponentReport } from "./ingress/health.ts";
import type { Adapter } from "./ports/adapter.ts";
import type { Clock, Random } from "./ports/clock.ts";
import type { Notebooks } from "./ports/notebooks.ts";
import type { Siblings } from "./ports/siblings.ts";
import type { Store } from "./ports/store.ts";
import { hearCalls } from "./shared/platform-calls.ts";
import { pruneAudit } from "./store/audit.ts";
import { createNotebooks } from "./store/notebooks.ts";
import { createSecrets } from "./store/secrets.ts";
import type { Left } from "./store/unwritten.ts";
import { createNewId } from "./system/ids.ts";
import { type Logger, setLevels } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { NO_TRACING, type Tracing } from "./telemetry/trace.ts";
import { beginAtZero } from "./telemetry/zeroes.ts";

export interface AppOptions {
  readonly config: Config;
  /** Reads the configuration again, as it was read for `config`. */
  readonly load: () => Promise<Loaded>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly version: string;
  readonly tracing?: Tracing;
  /** The other processes of the supervisor; absent where there is none. */
  readonly siblings?: Siblings;
  /** Makes the key of the test webhook; absent where a supervisor has made it for all its processes. */
  readonly newDevKey?: () => string;
  /** The store is gone for good; end the process, so that whoever watches it starts another. */
  readonly onStoreDeath: (error: Error) => void;
  /** Another length of a lease than LEASE_MS, for tests that cannot wait for it. */
  readonly leaseMs?: number | undefined;
}

export interface App {
  readonly server: Server;
  /** For operators alone, where they have a port of their own. */
  readonly watch: Server | null;
  readonly platforms: readonly Platform[];
  readonly agents: BuiltAgents;
  readonly developers: Developers;
  /** Where events are kept and what an acknowledgement survives there, in one line. */
  readonly storeReport: string;
  /** Reads the configuration again; what is wrong with it is in the log, and changes nothing. Never rejects. */
  reload(): Promise<void>;
  /** Begins to claim and run what waits in the store, where that is the role of this replica. */
  startWork(): void;
  /**
   * Not ready from now on; what runs finishes within this time or is handed back, then the store is closed. False: it did
   * not take all that is known, and the next process does some of it again.
   */
  stop(drainMs?: number): Promise<boolean>;
}

/** The composition root: the only place that chooses implementations. The two halves compose themselves. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, clock, random, log, metrics, version, newDevKey, onStoreDeath, leaseMs } = options;
  const { environment } = config;
  const { role } = environment;
  const stopping = new AbortController();
  const newId = createNewId(clock);
  const tracing = options.tracing ?? NO_TRACING;
  const system = { clock, random, newId, log, metrics, version, tracing };

  const killSwitch = new KillSwitch(metrics);
  const { isPaused } = killSwitch;
  const controls = new RunControls({
    ...{ log, logLevel: environment.logLevel, logLevels: environment.logLevels },
    setLevels: (general, of) => setLevels(log, general, of),
  });
  const hooks = new OperatorHooks();
  let notebooks: Notebooks | undefined;
  const audit = new AuditTrail(system);
  const rules = await openRules({
    ...{ config, load: options.load, killSwitch, controls, hooks, audit },
    renewed: (secrets) => {
      // By each process, for another may have sealed with the old key until now.
      if (secrets.includes("PARLEY_ENCRYPTION_KEY")) void reseal?.();
    },
    notebooks: () => notebooks,
    ...system,
  });
  const { current } = rules;
  const policy = () => current().policy;
  const offerOf = offerAgain(policy, clock);
  const { store, report, spool, still, mediaWithin } = await openStore({
    config,
    ...system,
    offerOf,
    onDeath: onStoreDeath,
  });
  const adapters = new Map<Platform, Adapter>();
  hooks.open({
    store,
    specs: () => current().spec.hooks,
    notices: () => current().spec.notify,
    adapters: () => adapters,
    deadMs: () => retentionOf(current().spec, current().agents.memory).deadMs,
    ...system,
  });
  notebooks = createNotebooks(store.vault);
  const isShared = environment.redisUrl !== null;
  audit.open(store);
  const heard = withoutPersons(audit, environment.adminToken);
  await killSwitch.open({ store, isShared, clock, log }, stopping.signal);
  await controls.open({ store, isShared, clock, log }, stopping.signal);
  const { seal } = environment;
  const secrets = seal === null ? null : createSecrets(seal, store);
  rules.keepTokens(secrets && { secrets, holds: store.holds });
  const reseal = seal === null ? undefined : () => resealed(seal, store.vault, log);
  const linkHosts = () => current().spec.replies.link_hosts;
  const chats = await openPlatforms(config, {
    ...system,
    kept: { secrets, holds: store.holds, notes: store.notes, audit: heard },
    linkHosts,
  }).catch(async (error: unknown) => {
    await store[Symbol.asyncDispose]();
    throw error;
  });
  // Only now, when the data folder is known to be ours: the key of another gateway on it must stay as it is.
  if (newDevKey !== undefined && role !== "worker") leaveDevKey(environment, newDevKey);
  const developers = developersOf(environment);
  const forDevelopers = await openForDevelopers(config, system, { ...developers, bus: store.bus, newId });
  const forPrograms = await openForPrograms(config, system, () => current().spec.inbound);
  const all = [...chats, ...forPrograms, ...forDevelopers];
  for (const one of all) adapters.set(one.platform, one);
  const platforms = [...adapters.keys()];

  const feed = new LifeFeed({ bus: store.bus, clock });
  const platformWatch = new PlatformWatch(system);
  const breakers = watchedBreakers(platformWatch, { hooks, ...system });
  controls.watch(breakers);
  const rendering = new Rendering({ log, linkHosts });
  const { render } = rendering;
  const halves = { store, adapters, feed, isPaused, ...system };
  const choices = new ToolChoices({ toolboxes: () => current().agents.toolboxes, ...system });
  const front = composeFront({
    ...{ ...halves, policy, desk: deskOf(store, () => current().spec, clock) },
    findChoices: (question) => choices.find(question),
  });
  const opened = await openMedia({ config, mediaWithin, ...system });
  const kept = mediaKeeping(opened, system);
  const erasures = new Erasures({
    forgetNames() {
      front.forgetPeople();
      for (const { names } of all) names?.forget();
    },
    clearSpool: spool?.clear ?? null,
    log,
  });
  await erasures.open({ store, isShared, clock, log }, stopping.signal);
  const { dispatcher, unwritten } = composeBack({
    ...halves,
    ...{ rules: current, render, breakers, hooks },
    audit: heard,
    ...{ media: opened.media, mediaFileBytes: opened.fileBytes, leaseMs },
  });
  const sweepTenants = createTenantSweep({
    ...{ store, media: opened.media, clock },
    keptSeconds: () => current().spec.retention.tenants,
  });
  const schedules = new Schedules({
    ...{ store, adapters, isPaused, specs: () => current().spec.schedules },
    ...system,
  });
  const retention = () => retentionOf(current().spec, current().agents.memory);
  const housekeeping = createHousekeeping({
    store,
    reseal,
    retention,
    async also() {
      const { media, retention: over } = current().spec;
      const keptMs = over.audit_seconds * 1000;
      await pruneAudit(store.audit, newId, { nowMs: clock.nowMs(), keptMs });
      // With the words beside which they came, where no agent remembers those for so long.
      await kept.sweep(Math.min(media.kept_seconds * 1000, retention().turnsMs));
      await sweepTenants();
    },
    ...system,
  });
  const machine = machineOf(environment.dataDir);
  showMachine(machine, metrics);
  showBackupAge(() => current().spec.compliance.backups, system);
  showInvalidRequests(all, metrics);
  beginAtZero(metrics, {
    ...{ platforms, agents: [...current().agents.memory.keys()] },
    schedules: current().spec.schedules.map(({ name }) => name),
    hooks: [...current().spec.hooks, ...current().spec.notify].map(({ name }) => name),
    servers: serversOf(current().config.agents),
  });
  const health = createHealth({
    ...{ version, startedAtMs: clock.nowMs(), clock, store, storeReport: report, spool, role },
    ...{ dispatcher, platforms, machine, paused: killSwitch.report },
    platform: (name) =>
      invalidRequestsReport(adapters.get(name as Platform)) ??
      restingReport(reportsOf(name, breakers)) ??
      platformWatch.report(name) ?? { status: "ok", details: "its replies get through" },
    models: () => modelsReport(current().agents),
    sockets: () => sockets.reports(),
    configuration: rules.report,
    housekeeping: housekeeping.report,
    media: kept.report,
    isDraining: () => stopping.signal.aborted,
  });
  showHealth(health, metrics);
  const replicas = new Replicas({
    vault: store.vault,
    self: {
      ...{ id: newId("rep"), host: hostname(), pid: process.pid },
      ...{ role, version, startedAtMs: clock.nowMs() },
    },
    configuration: () => current().config.digest,
    ...{ clock, log },
  });
  const http = composeHttp({
    ...{
      config,
      store,
      still,
      siblings: options.siblings ?? null,
      front,
      adapters: all,
      policy,
      spec: () => current().spec,
      agents: () => [...current().agents.memory.keys()],
      demoAgents: () => [...current().agents.demoStandIns.keys()],
      killSwitch,
      controls,
      breakers: () => breakersOf({ platforms, breakers, agents: current().agents }),
      ...{ health, replicas, audit, hooks: hooks.desk(), schedules, tools: rules.tools },
      housekeeping: { retention, sweep: () => housekeeping.sweep() },
      privacy: (writeNotes) =>
        createPrivacy({
          ...{ store, media: opened.media, writeNotes, clock },
          tellAll: () => erasures.tellAll(),
        }),
      feed,
      developers,
      ...system,
    },
    stopping: stopping.signal,
  });
  const sockets = createSockets({
    adapters: role === "worker" ? [] : chats,
    ...{ front, store, note: http.note, ...system },
  });
  metrics.buildInfo.set({ version }, 1);
  const hearNoMore = hearCalls((call) => metrics.platformCalls.inc({ ...call }));
  let elected: Elected | undefined;

  return {
    ...{ server: http.server, watch: http.watch, platforms, developers, storeReport: report() },
    agents: current().agents,
    async reload() {
      if (stopping.signal.aborted) log.warn({ why: "the process ends" }, "configuration.not_reloaded");
      else await rules.reload("signal");
    },
    startWork() {
      void rules.watch(stopping.signal);
      void replicas.keepSaying(stopping.signal);
      void selfCheck(
        { ...system, usage: () => machine.usage(), waiting: () => waitingIn(store) },
        stopping.signal,
      );
      if (role !== "ingress") {
        dispatcher.start();
        elected = standForDuties([housekeeping, hooks, schedules], { store, ...system });
      }
      sockets.start();
      for (const adapter of chats) {
        void adapter.start?.(stopping.signal);
        if (role !== "ingress") void platformWatch.watch(adapter, stopping.signal);
      }
    },
    async stop(drainMs = DRAIN_MS - CLOSE_MS) {
      stopping.abort();
      // The sockets at once, so that the next process has them while this one ends what it has begun.
      await Promise.all([sockets.stop(), http.leave(), elected?.stop(), dispatcher.stop(drainMs)]);
      const last = [http.flush(), replicas.leave(), unwritten.writeAll(), audit.close()];
      await within(Promise.all(last), NOTES_MS, clock);
      await within(rules.close(), TOOLS_MS, clock);
      for (const one of [rendering, feed, http]) one.close();
      hearNoMore();
      await store[Symbol.asyncDispose]();
      return reportLeft(unwritten.left, log);
    },
  };
}

async function waitingIn({ journal }: Pick<Store, "journal">): Promise<number> {
  const { queued, retrying } = await journal.stats();
  return queued + retrying;
}

/** Of the drain time, what closing the store may take, and what ends before it. */
const CLOSE_MS = 3_000;
/** Of that, what tools may take to end by themselves; the end of the process ends them. */
const TOOLS_MS = 1_000;
/** Of that, what the last notes and what could not be written before may take. */
const NOTES_MS = 500;

/** One for each platform; what becomes of a reply tells how its platform is. */
function watchedBreakers(
  platformWatch: PlatformWatch,
  { clock, ...watch }: BreakerWatchDeps & Pick<AppOptions, "clock" | "metrics">,
): Breakers {
  const breakers = new Breakers(clock, {
    ...breakerWatch("platform", { clock, ...watch }),
    called: (name, end, cause) => platformWatch.called(name, end, cause),
  });
  showBreakers("platform", () => breakers.reports(), watch.metrics);
  return breakers;
}

/** Whether nothing is. */
function reportLeft({ runs, parts }: Left, log: Logger): boolean {
  if (runs + parts === 0) return true;
  const note =
    "The store took none of this until the end: what these runs have cost is paid again, and these parts of replies are " +
    "in doubt.";
  log.error({ runs, parts, note }, "store.unwritten");
  return false;
}

function modelsReport(agents: BuiltAgents): ComponentReport {
  const names = [...agents.modelNames].map(([agent, model]) => `${agent}: ${model}`);
  return restingReport(agents.breakers()) ?? { status: "ok", details: names.join(", ") };
}
