import type { Breakers } from "../domain/breaker.ts";
import {
  type BreakersSet,
  type ControlOrder,
  type Controls,
  controlled,
  type LogLevel,
  type LogLevels,
  NO_CONTROLS,
} from "../domain/controls.ts";
import type { Logger } from "../telemetry/log.ts";
import { SharedNote, type SharedNoteDeps } from "./shared-note.ts";

export interface RunControlsOptions {
  readonly log: Pick<Logger, "warn">;
  /** As the process was started. */
  readonly logLevel: LogLevel;
  readonly logLevels: LogLevels;
  readonly setLevels: (general: LogLevel, of: LogLevels) => void;
}

/** Log level, limits and breakers as operators set them while it runs, for all replicas. */
export class RunControls {
  readonly #options: RunControlsOptions;
  readonly #note: SharedNote<Controls>;
  /** Apart, because a note is small. */
  readonly #rules: SharedNote<BreakersSet>;
  readonly #breakers: Breakers[] = [];
  /** Null: not looked yet. What was reset before this process began has nothing to close here. */
  #resets: Controls["resets"] | null = null;

  constructor(options: RunControlsOptions) {
    this.#options = options;
    this.#note = new SharedNote({
      name: "controls",
      event: "controls",
      parse: (note) =>
        note === null ? NO_CONTROLS : { ...NO_CONTROLS, ...(JSON.parse(note) as Partial<Controls>) },
      onTake: (controls) => this.#take(controls),
    });
    this.#rules = new SharedNote({
      name: "breaker-rules",
      event: "breaker_rules",
      parse: (note) => (note === null ? {} : (JSON.parse(note) as BreakersSet)),
      onTake: (rules) => {
        for (const breakers of this.#breakers) breakers.configure(valuesOf(rules));
      },
    });
  }

  get now(): Controls {
    return { ...this.#note.value, breakers: this.#rules.value };
  }

  get configuredLogLevel(): LogLevel {
    return this.#options.logLevel;
  }

  get configuredLogLevels(): LogLevels {
    return this.#options.logLevels;
  }

  /** These are closed when somebody resets one of them, and go by the rules that are set. */
  watch(breakers: Breakers): void {
    breakers.configure(valuesOf(this.#rules.value));
    this.#breakers.push(breakers);
  }

  /** Knows what is set when it resolves, unless the store is away; then as soon as that is back. Never rejects. */
  async open(deps: SharedNoteDeps, signal: AbortSignal): Promise<void> {
    await Promise.all([this.#note.open(deps, signal), this.#rules.open(deps, signal)]);
  }

  /** Holds for all replicas. Rejects with STORE_* when the store cannot keep that. */
  async set(order: ControlOrder): Promise<void> {
    if (order.kind === "breaker-rules")
      await this.#rules.change((breakers) => controlled({ ...NO_CONTROLS, breakers }, order).breakers);
    else await this.#note.change((controls) => controlled(controls, order));
    const { kind, atMs: _, ...rest } = order;
    this.#options.log.warn(rest, EVENTS[kind]);
  }

  #take({ logLevel, logLevels, resets }: Controls): void {
    const { logLevel: configured, logLevels: configuredOf, setLevels } = this.#options;
    const set = Object.entries(logLevels).map(([subject, { value }]) => [subject, value] as const);
    setLevels(logLevel?.value ?? configured, { ...configuredOf, ...Object.fromEntries(set) });
    const known = this.#resets;
    this.#resets = resets;
    if (known === null) return;
    for (const [name, atMs] of Object.entries(resets)) {
      if (known[name] === atMs) continue;
      for (const breakers of this.#breakers) breakers.reset(name);
    }
  }
}

const EVENTS: Readonly<Record<ControlOrder["kind"], string>> = {
  "log-level": "log_level.set",
  limits: "limits.set",
  "breaker-reset": "breaker.reset",
  "breaker-rules": "breaker.configured",
};

function valuesOf(rules: BreakersSet) {
  return Object.fromEntries(Object.entries(rules).map(([name, { value }]) => [name, value]));
}
