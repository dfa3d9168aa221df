import type { BreakerCause, CallEnd } from "../domain/breaker.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Adapter, ProbeFinding } from "../ports/adapter.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";

/** Where all is well, and where something is not. Each varied by a quarter, so that replicas do not ask at once. */
const WELL_EVERY_MS = 300_000;
const UNWELL_EVERY_MS = 30_000;

export interface WatchDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "warn">;
}

interface Trouble extends BreakerCause {
  readonly sinceMs: number;
}

/** Of settings that do not belong together; that a reply got through says nothing about it. */
const ONLY_BY_PROBE = "PLATFORM_MISMATCH";

/**
 * Whether each platform answers and takes our credentials: by the last reply, or by the last look of our own, whichever
 * is newer. A look is cheap and rare, delays nothing, and is what tells that a platform nobody writes on is well again.
 */
export class PlatformWatch {
  readonly #deps: WatchDeps;
  readonly #troubles = new Map<string, Trouble>();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  /** Looks at once, and now and then, until aborted. */
  async watch(adapter: Adapter, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    while (adapter.probe !== undefined && !signal.aborted) {
      const findings = await adapter.probe(signal).catch(() => null);
      if (signal.aborted) return;
      if (findings !== null) this.#probed(adapter.platform, findings);
      await this.#untilDue(adapter.platform, 0.75 + random() / 2, clock, signal);
    }
  }

  /** Each reply tells how it went. */
  called(name: string, end: CallEnd, cause?: BreakerCause): void {
    if (end === "unknown") return;
    if (end !== "ok") this.#trouble(name, cause ?? { code: "DELIVERY_RETRY", message: "a reply failed" });
    else if (this.#troubles.get(name)?.code !== ONLY_BY_PROBE) this.#well(name);
  }

  /** Of one that is not well; null: nothing is known against it. */
  report(name: string): ComponentReport | null {
    const trouble = this.#troubles.get(name);
    if (trouble === undefined) return null;
    const since = iso(trouble.sinceMs);
    return { status: "degraded", code: trouble.code, details: trouble.message, since };
  }

  /** A reply that fails in the meantime brings the next look forward. */
  async #untilDue(name: string, share: number, clock: Clock, signal: AbortSignal): Promise<void> {
    const stepMs = UNWELL_EVERY_MS * share;
    for (let waitedMs = 0; waitedMs < WELL_EVERY_MS * share && !signal.aborted; waitedMs += stepMs) {
      await clock.sleep(stepMs, signal).catch(() => {});
      if (this.#troubles.has(name)) return;
    }
  }

  #probed(name: string, findings: readonly ProbeFinding[]): void {
    const failed = findings.find(({ status }) => status === "fail");
    if (failed === undefined) this.#well(name);
    else this.#trouble(name, { code: failed.code ?? "PLATFORM_UNREACHABLE", message: failed.message });
  }

  #trouble(name: string, { code, message }: BreakerCause): void {
    const before = this.#troubles.get(name);
    this.#troubles.set(name, { code, message, sinceMs: before?.sinceMs ?? this.#deps.clock.nowMs() });
    if (before?.code !== code)
      this.#deps.log.warn({ platform: name, code, cause: message }, "platform.unwell");
  }

  #well(name: string): void {
    const before = this.#troubles.get(name);
    if (before === undefined) return;
    this.#troubles.delete(name);
    const unwellMs = this.#deps.clock.nowMs() - before.sinceMs;
    this.#deps.log.warn({ platform: name, code: before.code, unwell_ms: unwellMs }, "platform.well");
  }
}
