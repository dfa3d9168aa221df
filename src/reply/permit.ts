import { RunAborted } from "../domain/abort.ts";
import { DeliveryError } from "../domain/errors.ts";
import type { Permit } from "../shared/call.ts";

/** By which whoever works on a job knows that it is still theirs. */
export interface Leave {
  /** Whether the job is ours for long enough to say something now. Rejects when the store cannot tell. */
  readonly isHeld: () => Promise<boolean>;
  /** The same without asking the store: what is left of the lease, 0 when that is not long enough. */
  readonly leftMs: () => number;
}

/**
 * Leave to say something, by the lease. Looked at before anything is prepared, and by whoever holds the connection
 * again, last of all: a process that was stopped since it reserved, or looked up, may have been followed by another.
 */
export class LeasePermit implements Permit {
  readonly #deps: Leave;
  #state: "asked" | "refused" | "given" = "asked";

  constructor(deps: Leave) {
    this.#deps = deps;
  }

  /** Nothing can have been said: the store refused, or could not tell, before the first byte. */
  get wasNeverGiven(): boolean {
    return this.#state === "refused";
  }

  leftMs(): number {
    const leftMs = this.#deps.leftMs();
    if (leftMs > 0) this.#state = "given";
    return leftMs;
  }

  async renew(): Promise<void> {
    const before = this.#state;
    if (before === "asked") this.#state = "refused";
    if (!(await this.#deps.isHeld())) throw new RunAborted("lease-lost");
    this.#state = before;
  }
}

/** Whether a send that failed was certainly not said: the platform did not take it, or the permit came too late for it. */
export function certainlyUnsaid(error: unknown, permit: LeasePermit): boolean {
  return error instanceof DeliveryError ? error.kind !== "unknown" : permit.wasNeverGiven;
}
