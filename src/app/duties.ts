import type { Clock, Random } from "../ports/clock.ts";
import type { Held } from "../ports/holds.ts";
import type { Store } from "../ports/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { type Elected, standForElection } from "./elected.ts";

/** What one of all processes that share a store does for all of them. */
export interface Duty {
  /** Until the signal. Never rejects. */
  lead(held: Held, signal: AbortSignal): Promise<void>;
}

export interface DutiesDeps {
  readonly store: Pick<Store, "holds" | "bus">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "info" | "warn">;
}

/** The name that is held by whoever sees to them. One that died is replaced after this. */
const NAME = "housekeeping";
const HOLD_MS = 10_000;

/** All of them by the same process: each election costs a flushed write every few seconds, also when nothing happens. */
export function standForDuties(duties: readonly Duty[], { store, clock, random, log }: DutiesDeps): Elected {
  return standForElection({
    ...{ name: NAME, ttlMs: HOLD_MS, holds: store.holds, bus: store.bus, clock, random, log },
    async lead(held, signal) {
      await Promise.all(duties.map((duty) => duty.lead(held, signal)));
    },
  });
}
