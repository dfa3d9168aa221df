import type { AuditEntry, Deed } from "../domain/audit.ts";
import { GatewayError } from "../domain/errors.ts";
import type { Audit } from "../ports/audit.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import { messageOf } from "../shared/fault.ts";
import { appendAudit } from "../store/audit.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { within } from "./within.ts";

export interface AuditTrailDeps {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Pick<Logger, "info" | "error">;
  readonly metrics: Pick<Metrics, "auditEntries" | "auditWaiting" | "auditLost">;
}

/** Whoever waits for an entry to be kept waits no longer. */
const WAIT_MS = 1_000;
/** While the store is away it is asked again this often. */
const AGAIN_MS = 1_000;
/** Entries that wait for a store that is away; one more is lost, and the log has it. */
const WAITING_MAX = 1_000;

interface Waiting {
  readonly deed: Deed;
  readonly kept: () => void;
}

/** Adds deeds to the audit, one after the other, in the order in which this process heard of them. */
export class AuditTrail implements Audit {
  readonly #deps: AuditTrailDeps;
  readonly #waiting: Waiting[] = [];
  /** Null: the store is not open yet. */
  #log: AuditLog | null = null;
  #draining: Promise<void> = Promise.resolve();
  #isDraining = false;
  #isAway = false;
  readonly #closing = new AbortController();

  constructor(deps: AuditTrailDeps) {
    this.#deps = deps;
  }

  async write(what: Omit<Deed, "atMs">): Promise<void> {
    const { clock, log, metrics } = this.#deps;
    const deed = { atMs: clock.nowMs(), ...what };
    if (this.#waiting.length >= WAITING_MAX) {
      metrics.auditLost.inc();
      log.error({ deed, why: "too many wait for the store" }, "audit.lost");
      return;
    }
    const kept = new Promise<void>((resolve) => this.#waiting.push({ deed, kept: resolve }));
    metrics.auditWaiting.set(this.#waiting.length);
    this.#drain();
    await within(kept, WAIT_MS, clock).catch(() => {});
  }

  open({ audit }: { readonly audit: AuditLog }): void {
    this.#log = audit;
    this.#drain();
  }

  /** Tries once more to keep what waits. What the store does not take is in the log. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#draining;
    const { log, metrics } = this.#deps;
    for (const { deed } of this.#waiting) {
      metrics.auditLost.inc();
      log.error({ deed, why: "the process ends" }, "audit.lost");
    }
  }

  #drain(): void {
    if (this.#log === null || this.#isDraining) return;
    this.#draining = this.#keepAll(this.#log);
  }

  async #keepAll(to: AuditLog): Promise<void> {
    const { clock, newId, log, metrics } = this.#deps;
    this.#isDraining = true;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        this.#kept(await appendAudit(to, newId, next.deed));
      } catch (error) {
        if (!(error instanceof GatewayError)) {
          // A fault of ours, which the next try would meet again.
          metrics.auditLost.inc();
          log.error({ err: error, deed: next.deed }, "audit.lost");
        } else {
          if (!this.#isAway)
            log.error({ code: error.code, cause: messageOf(error), deed: next.deed }, "audit.unwritten");
          this.#isAway = true;
          if (this.#closing.signal.aborted) break;
          await clock.sleep(AGAIN_MS, this.#closing.signal).catch(() => {});
          continue;
        }
      }
      next.kept();
      this.#waiting.shift();
      metrics.auditWaiting.set(this.#waiting.length);
    }
    this.#isDraining = false;
  }

  /** In the log, too: whoever keeps that elsewhere can tell whether the store was tampered with. */
  #kept({ seq, hash, action, actor, subject }: AuditEntry): void {
    const { log, metrics } = this.#deps;
    this.#isAway = false;
    metrics.auditEntries.inc({ action });
    log.info({ seq, hash, action, actor, subject }, "audit.written");
  }
}
