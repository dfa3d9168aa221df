import type { Bus } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LastRefusal } from "../last-refusal.ts";
import type { Holdings } from "./holdings.ts";
import type { Argument, Patience } from "./link.ts";
import type { Persistence } from "./persist.ts";
import type { Pulse, Status } from "./pulse.ts";
import type { ScriptName } from "./scripts.ts";

/** What the views of one store share. */
export interface Parts {
  readonly run: (script: ScriptName, args: readonly Argument[], patience: Patience) => Promise<unknown>;
  readonly persistence: Persistence;
  readonly holdings: Holdings;
  readonly pulse: Pulse;
  readonly bus: LocalBus;
  readonly clock: Clock;
  readonly owner: string;
  readonly limits: { readonly waitingPerLaneMax: number; readonly waitingMax: number };
  /** The time that scripts go by; empty: that of the server. */
  readonly now: () => Argument;
  /** Names one call, so that its repetition is known as such. */
  readonly newOp: () => string;
  /** Grows with each call: of two that record the progress of one run, the later is newer. */
  readonly newStep: () => number;
  /** Of what was to be accepted. */
  readonly refusal: LastRefusal;
  readonly heardFrom: (status: Status) => void;
}

export interface LocalBus extends Bus {
  /** To those who listen in this process. */
  deliver(topic: string, message: string): void;
}
