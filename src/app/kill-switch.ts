import {
  flipped,
  isPausedBy,
  NO_SWITCHES,
  type PausedFor,
  type Switches,
  type SwitchOrder,
} from "../domain/switches.ts";
import type { ComponentReport } from "../ingress/health.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { SharedNote, type SharedNoteDeps } from "./shared-note.ts";

/**
 * What operators pause while it runs, for all replicas. Beside it stands the kill switch of the configuration, which only
 * the configuration puts back.
 */
export class KillSwitch {
  readonly #metrics: Pick<Metrics, "paused" | "pausedParts">;
  readonly #note: SharedNote<Switches>;
  #log: Pick<Logger, "warn"> | null = null;
  #isOnByConfiguration = false;

  constructor(metrics: Pick<Metrics, "paused" | "pausedParts">) {
    this.#metrics = metrics;
    this.#note = new SharedNote({
      name: "kill-switch",
      event: "kill_switch",
      parse,
      onTake: () => this.#show(),
    });
  }

  get switches(): Switches {
    return this.#note.value;
  }

  get isOnByConfiguration(): boolean {
    return this.#isOnByConfiguration;
  }

  /** By a switch or by the configuration; without an argument, whether everything is. */
  readonly isPaused = (of?: PausedFor): boolean => this.#isOnByConfiguration || this.isThrown(of);

  /** By a switch, whatever the configuration says. */
  isThrown(of?: PausedFor): boolean {
    return isPausedBy(this.switches, of);
  }

  byConfiguration(isOn: boolean): void {
    this.#isOnByConfiguration = isOn;
    this.#show();
  }

  /** Knows what is thrown when it resolves, unless the store is away; then as soon as that is back. Never rejects. */
  async open(deps: SharedNoteDeps, signal: AbortSignal): Promise<void> {
    this.#log = deps.log;
    await this.#note.open(deps, signal);
  }

  /** Throws a switch, or puts it back, for all replicas. Rejects with STORE_* when the store cannot keep that. */
  async set(order: SwitchOrder): Promise<Switches> {
    const now = await this.#note.change((switches) => flipped(switches, order));
    const { on, by, reason, agent, platform } = order;
    this.#log?.warn({ on, by, reason, agent, platform }, "kill_switch.set");
    return now;
  }

  /** For /ready; null: nothing is paused. */
  readonly report = (): ComponentReport | null => {
    const { all, agents, platforms } = this.switches;
    const paused = [...Object.keys(agents), ...Object.keys(platforms)];
    if (!this.isPaused() && paused.length === 0) return null;
    const what = this.isPaused()
      ? "messages are answered that the bot is paused"
      : `paused: ${paused.join(", ")}`;
    const where = this.#isOnByConfiguration ? " (by the configuration)" : "";
    const since = all === null ? {} : { since: iso(all.atMs) };
    return { status: "degraded", code: "PAUSED", details: `on${where}: ${what}`, ...since };
  };

  #show(): void {
    const metrics = this.#metrics;
    metrics.paused.set(this.isPaused() ? 1 : 0);
    metrics.pausedParts.reset();
    for (const name of Object.keys(this.switches.agents)) metrics.pausedParts.set({ kind: "agent", name }, 1);
    for (const name of Object.keys(this.switches.platforms))
      metrics.pausedParts.set({ kind: "platform", name }, 1);
  }
}

function parse(note: string | null): Switches {
  return note === null ? NO_SWITCHES : { ...NO_SWITCHES, ...(JSON.parse(note) as Switches) };
}
