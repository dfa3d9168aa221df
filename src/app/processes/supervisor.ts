import { backoffMs } from "../../domain/backoff.ts";
import { DRAIN_MS } from "../../domain/bounds.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Child, Ending, FromProcess } from "./messages.ts";
import { Relay } from "./relay.ts";
import { Scrapes } from "./scrapes.ts";

export interface SupervisorDeps {
  readonly processes: number;
  /** Starts process number `n`, from 1. */
  readonly fork: (n: number) => Child;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "processDeaths">;
  /** To the person at the terminal. */
  readonly print: (text: string) => void;
}

interface Slot {
  readonly n: number;
  child: Child | null;
  /** When it began to listen; null while it does not. */
  upAtMs: number | null;
  /** Ends in a row, each soon after the start. */
  failures: number;
  reason: string | null;
}

const BACKOFF = { baseMs: 500, capMs: 15_000, exponential: true };
/** Whoever has listened for so long did not fail to start. */
const STEADY_MS = 60_000;
/** Nobody listens, and each start of one process has failed so often: what is wrong does not pass. */
const FAILURES_MAX = 5;
/** Processes end by themselves within the drain time; what is left then is killed. */
const KILL_MS = DRAIN_MS + 2_000;
const EXIT = { failed: 1, interrupted: 130 } as const;

/**
 * Keeps a number of gateway processes alive and does nothing else.
 *
 * | an end | what follows |
 * |-|-|
 * | before all have listened once, with an exit code | all stop, and that is the exit code: it would be so again |
 * | any other | started again after a backoff |
 * | any other, for the fifth time soon after the start, while no other listens | all stop, with the last exit code |
 */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #slots: readonly Slot[];
  readonly #scrapes: Scrapes;
  readonly #relay: Relay;
  readonly #stopping = new AbortController();
  readonly #over = Promise.withResolvers<number>();
  #stage: "starting" | "running" | "stopping" = "starting";
  #exitCode = 0;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#slots = Array.from({ length: deps.processes }, (_, i) => ({
      n: i + 1,
      child: null,
      upAtMs: null,
      failures: 0,
      reason: null,
    }));
    this.#relay = new Relay(deps.clock);
    this.#scrapes = new Scrapes(deps.clock, async () => [await deps.metrics.processDeaths.get()]);
  }

  /** Gives the exit code once all processes have ended. */
  run(): Promise<number> {
    for (const slot of this.#slots) this.#start(slot);
    return this.#over.promise;
  }

  /** Drains all processes; the second time, ends them at once. */
  stop(): void {
    if (this.#stage === "stopping") {
      this.#exitCode = EXIT.interrupted;
      for (const { child } of this.#slots) child?.send({ kind: "stop-at-once" });
    } else this.#stop(0);
  }

  /** Each reads the configuration again, by itself. */
  reload(): void {
    for (const { child } of this.#slots) child?.send({ kind: "reload" });
  }

  #stop(exitCode: number): void {
    this.#stage = "stopping";
    this.#exitCode = exitCode;
    this.#stopping.abort("stopping");
    for (const { child } of this.#slots) child?.send({ kind: "drain" });
    this.#endWhenAlone();
    void this.#killLate();
  }

  async #killLate(): Promise<void> {
    await this.#deps.clock.sleep(KILL_MS);
    for (const { child, n } of this.#slots) {
      if (child === null) continue;
      this.#deps.log.error({ of: n }, "process.killed");
      child.kill();
    }
  }

  #endWhenAlone(): void {
    if (this.#slots.every(({ child }) => child === null)) this.#over.resolve(this.#exitCode);
  }

  #start(slot: Slot): void {
    this.#deps.log.info({ of: slot.n }, "process.starting");
    const child = this.#deps.fork(slot.n);
    slot.child = child;
    slot.reason = null;
    child.onMessage((message) => this.#heard(slot, child, message));
    child.onEnd((ending) => void this.#ended(slot, child, ending));
  }

  #heard(slot: Slot, child: Child, message: FromProcess): void {
    switch (message.kind) {
      case "here":
        if (this.#stage === "stopping") child.send({ kind: "drain" });
        return;
      case "up":
        slot.upAtMs = this.#deps.clock.nowMs();
        if (this.#stage === "starting" && this.#slots.every(({ upAtMs }) => upAtMs !== null)) {
          this.#stage = "running";
          this.#deps.print(message.banner);
        }
        return;
      case "failed":
        slot.reason = message.reason;
        return;
      case "scrape":
        void this.#scrapes.scrape(this.#listening()).then((text) => {
          child.send({ kind: "scraped", id: message.id, text });
        });
        return;
      case "snapshot":
        this.#scrapes.answered(message.id, message.snapshot);
        return;
      case "ask":
        void this.#relay.ask(message.question, this.#listening(child)).then((answer) => {
          child.send({ kind: "answered", id: message.id, answer });
        });
        return;
      case "answer":
        this.#relay.answered(message.id, message.answer);
    }
  }

  #listening(but?: Child): Child[] {
    return this.#slots.flatMap(({ child, upAtMs }) =>
      child === null || child === but || upAtMs === null ? [] : [child],
    );
  }

  async #ended(slot: Slot, child: Child, ending: Ending): Promise<void> {
    const { clock, random, log, metrics } = this.#deps;
    const upMs = slot.upAtMs === null ? 0 : clock.nowMs() - slot.upAtMs;
    const hadListened = slot.upAtMs !== null;
    slot.child = null;
    slot.upAtMs = null;
    slot.failures = upMs >= STEADY_MS ? 1 : slot.failures + 1;
    this.#scrapes.ended(child);
    if (this.#stage === "stopping") {
      if (this.#exitCode === 0 && !("code" in ending && ending.code === 0)) this.#exitCode = EXIT.failed;
      return this.#endWhenAlone();
    }

    const code = "code" in ending ? ending.code : EXIT.failed;
    const cannotStart = this.#stage === "starting" && !hadListened && "code" in ending;
    const isHopeless = slot.failures >= FAILURES_MAX && this.#listening().length === 0;
    if (cannotStart || isHopeless) {
      this.#deps.print(slot.reason ?? `Process ${slot.n} ended with ${code} before it listened.`);
      return this.#stop(code === 0 ? EXIT.failed : code);
    }
    metrics.processDeaths.inc();
    const afterMs = backoffMs(slot.failures, BACKOFF, random);
    log.error({ of: slot.n, ...ending, cause: slot.reason, restart_ms: afterMs }, "process.ended");
    const isStill = await clock.sleep(afterMs, this.#stopping.signal).then(
      () => true,
      () => false,
    );
    if (isStill) this.#start(slot);
  }
}
