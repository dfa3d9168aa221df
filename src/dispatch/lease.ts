import type { Clock } from "../ports/clock.ts";
import type { Job, Queue } from "../ports/queue.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import { causeOf } from "./settle.ts";

/** One whose renewal failed is renewed again after this. */
const RENEW_AGAIN_MS = 500;

export interface LeaseDeps {
  readonly queue: Pick<Queue, "extend">;
  readonly clock: Clock;
  readonly leaseMs: number;
}

/** The lease of one job, as far as this process can tell. */
export class Lease {
  readonly #deps: LeaseDeps;
  readonly #job: Job;
  /** Counted from when the store was asked, so never later than the store has it. */
  #endsAtMs: number;

  constructor(deps: LeaseDeps, job: Job, askedAtMs: number) {
    this.#deps = deps;
    this.#job = job;
    this.#endsAtMs = askedAtMs + deps.leaseMs;
  }

  /**
   * Whether nobody else can have the job while something is said or done for it now, for half a lease at least. A
   * process that was stopped for a while, or got an answer late, asks the store again. Rejects when that cannot tell.
   */
  async isHeld(): Promise<boolean> {
    while (this.leftMs() === 0) {
      if (!(await this.renew())) return false;
    }
    return true;
  }

  /** What is left of it; 0 when that is less than half, or cannot be told without the store. */
  leftMs(): number {
    const { clock, leaseMs } = this.#deps;
    const leftMs = this.#endsAtMs - clock.nowMs();
    // More than a whole lease is left by a clock that was set back, which says nothing.
    return leftMs >= leaseMs / 2 && leftMs <= leaseMs ? leftMs : 0;
  }

  /** False: it is lost. */
  async renew(): Promise<boolean> {
    const { queue, clock, leaseMs } = this.#deps;
    const askedAtMs = clock.nowMs();
    if (!(await queue.extend(this.#job, leaseMs))) return false;
    this.#endsAtMs = askedAtMs + leaseMs;
    return true;
  }

  /**
   * Renews at a quarter of the lease, until `end`; calls `lose` when it is lost before that. When the store is away it is
   * asked often, so that it hears of the run before anybody looks for leases that have run out meanwhile.
   */
  keep(lose: () => void, log: Pick<Logger, "error">): { readonly end: () => Promise<void> } {
    const { clock, leaseMs } = this.#deps;
    let isFailing = false;
    let isOver = false;
    let renewing = Promise.resolve();
    const renew = async () => {
      try {
        if (!(await this.renew())) {
          if (!isOver) lose();
          return;
        }
        isFailing = false;
      } catch (error) {
        const about = { ...eventIds(this.#job.event), cause: causeOf(error) };
        if (!isFailing) log.error(about, "event.extend_failed");
        isFailing = true;
      }
      if (!isOver) off = clock.timer(isFailing ? RENEW_AGAIN_MS : leaseMs / 4, begin);
    };
    const begin = () => {
      renewing = renew();
    };
    let off = clock.timer(leaseMs / 4, begin);
    return {
      end() {
        isOver = true;
        off();
        return renewing;
      },
    };
  }
}
