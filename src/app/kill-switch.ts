import { GatewayError } from "../domain/errors.ts";
import {
  flipped,
  isPausedBy,
  NO_SWITCHES,
  type PausedFor,
  type Switches,
  type SwitchOrder,
} from "../domain/switches.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import type { Held } from "../ports/holds.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Of the hold, the note and the topic. */
const NAME = "kill-switch";
/** Word of a change may be lost; so long after it everybody has looked. */
const LOOK_MS = 1_000;
/** Somebody else throws one at the same time: asked again so often, for so long. */
const HOLD_MS = 5_000;
const AGAIN_MS = 100;
const TRIES_MAX = 30;

export interface KillSwitchDeps {
  readonly store: Pick<Store, "holds" | "notes" | "bus">;
  /** Whether other processes have the same store. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn">;
}

/**
 * What operators pause while it runs, kept in the store: over restarts, and for all replicas. Beside it stands the kill
 * switch of the configuration, which only the configuration puts back.
 */
export class KillSwitch {
  readonly #metrics: Pick<Metrics, "paused" | "pausedParts">;
  #deps: KillSwitchDeps | null = null;
  #switches = NO_SWITCHES;
  #isOnByConfiguration = false;
  #isAway = false;

  constructor(metrics: Pick<Metrics, "paused" | "pausedParts">) {
    this.#metrics = metrics;
  }

  get switches(): Switches {
    return this.#switches;
  }

  get isOnByConfiguration(): boolean {
    return this.#isOnByConfiguration;
  }

  /** By a switch or by the configuration; without an argument, whether everything is. */
  readonly isPaused = (of?: PausedFor): boolean => this.#isOnByConfiguration || this.isThrown(of);

  /** By a switch, whatever the configuration says. */
  isThrown(of?: PausedFor): boolean {
    return isPausedBy(this.#switches, of);
  }

  byConfiguration(isOn: boolean): void {
    this.#isOnByConfiguration = isOn;
    this.#show();
  }

  /** Knows what is thrown when it resolves, unless the store is away; then as soon as that is back. Never rejects. */
  async open(deps: KillSwitchDeps, signal: AbortSignal): Promise<void> {
    this.#deps = deps;
    const leave = deps.store.bus.subscribe(NAME, () => void this.#look(deps));
    signal.addEventListener("abort", leave, { once: true });
    await this.#look(deps);
    if (deps.isShared || this.#isAway) void this.#lookForever(deps, signal);
  }

  /** Throws a switch, or puts it back, for all replicas. Rejects with STORE_* when the store cannot keep that. */
  async set(order: SwitchOrder): Promise<Switches> {
    const deps = this.#deps;
    if (deps === null) throw new GatewayError("STORE_UNAVAILABLE", "the store is not open yet");
    const { holds, notes, bus } = deps.store;
    const held = await this.#hold(deps);
    let now: Switches;
    try {
      now = flipped(parse(await notes.get(NAME)), order);
      if (!(await notes.put(NAME, JSON.stringify(now), held)))
        throw new GatewayError("STORE_UNAVAILABLE", "the switch was not kept in time; throw it again");
    } finally {
      await holds.release(held).catch(() => {});
    }
    this.#take(now);
    const { on, by, reason, agent, platform } = order;
    deps.log.warn({ on, by, reason, agent, platform }, "kill_switch.set");
    await bus.publish(NAME, "");
    return now;
  }

  /** For /ready; null: nothing is paused. */
  readonly report = (): ComponentReport | null => {
    const { all, agents, platforms } = this.#switches;
    const paused = [...Object.keys(agents), ...Object.keys(platforms)];
    if (!this.isPaused() && paused.length === 0) return null;
    const what = this.isPaused()
      ? "messages are answered that the bot is paused"
      : `paused: ${paused.join(", ")}`;
    const where = this.#isOnByConfiguration ? " (by the configuration)" : "";
    const since = all === null ? {} : { since: iso(all.atMs) };
    return { status: "degraded", code: "PAUSED", details: `on${where}: ${what}`, ...since };
  };

  async #hold({ store, clock }: KillSwitchDeps): Promise<Held> {
    for (let tries = 1; ; tries++) {
      const held = await store.holds.hold(NAME, HOLD_MS);
      if (held !== null) return held;
      if (tries === TRIES_MAX)
        throw new GatewayError("STORE_UNAVAILABLE", "another replica is throwing a switch; try again");
      await clock.sleep(AGAIN_MS);
    }
  }

  async #lookForever(deps: KillSwitchDeps, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (deps.isShared || this.#isAway)) {
      await deps.clock.sleep(LOOK_MS, signal).catch(() => {});
      if (!signal.aborted) await this.#look(deps);
    }
  }

  /** What cannot be read holds as it was known last. */
  async #look({ store, log }: KillSwitchDeps): Promise<void> {
    try {
      this.#take(parse(await store.notes.get(NAME)));
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) log.warn({ cause: messageOf(error) }, "kill_switch.unread");
      this.#isAway = true;
    }
  }

  #take(switches: Switches): void {
    this.#switches = switches;
    this.#show();
  }

  #show(): void {
    const metrics = this.#metrics;
    metrics.paused.set(this.isPaused() ? 1 : 0);
    metrics.pausedParts.reset();
    for (const name of Object.keys(this.#switches.agents))
      metrics.pausedParts.set({ kind: "agent", name }, 1);
    for (const name of Object.keys(this.#switches.platforms))
      metrics.pausedParts.set({ kind: "platform", name }, 1);
  }
}

function parse(note: string | null): Switches {
  return note === null ? NO_SWITCHES : { ...NO_SWITCHES, ...(JSON.parse(note) as Switches) };
}
