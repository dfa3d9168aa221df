import type { TriggerEvent } from "../domain/event.ts";
import type { Progress } from "../domain/run.ts";
import type { Signal } from "../domain/signal.ts";

/**
 * What the oldest event of a lane is doing, on whatever replica: nothing there, not yet begun or to be tried again, set
 * aside until a person or a time decides, in hand.
 */
export type LaneState = "idle" | "waiting" | "parked" | "running";

/** The work of all replicas, lane by lane. */
export interface Lanes {
  stateOf(lane: string): Promise<LaneState>;
  /** Its oldest event; null: it has none. */
  head(lane: string): Promise<LaneHead | null>;
  /**
   * Says something to the lane's oldest event, and gives what that was doing. Durable; it ends with the event. Whoever
   * runs it hears of it on the bus (SIGNAL_TOPIC, a `signalMessage`), at the latest with the next `extend`; whoever claims
   * it later finds it in `Job.signals`. One that is parked is claimable at once; one that waits is when it is to stop.
   */
  signal(lane: string, signal: Signal): Promise<Signalled>;
}

export interface LaneHead {
  readonly event: TriggerEvent;
  readonly progress: Progress | null;
  readonly signals: readonly Signal[];
}

export interface Signalled {
  /** `idle`: there was nobody to hear it. */
  readonly state: LaneState;
  /**
   * Whether the event has it, just as it was said. False: one with this key was there before, which counts, or there are
   * SIGNALS_MAX already, which only a stop passes.
   */
  readonly isKept: boolean;
}

export const SIGNAL_TOPIC = "signal";
/** Of one event, beside a stop. */
export const SIGNALS_MAX = 32;

export function signalMessage(lane: string, signal: Signal): string {
  return JSON.stringify([lane, signal]);
}

export function readSignal(message: string): readonly [lane: string, signal: Signal] {
  return JSON.parse(message) as [string, Signal];
}
