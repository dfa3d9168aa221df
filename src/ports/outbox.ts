import type { Receipt } from "../domain/reply.ts";
import type { Progress } from "../domain/run.ts";
import type { Job } from "./queue.ts";

export type Reservation =
  /** Say it. `sendsBefore` counts earlier sends of the whole reply. */
  | { readonly kind: "fresh"; readonly sendsBefore: number }
  /**
   * An earlier send was never recorded: it may have been said. `isSenderGone`: nobody who began one can still be on
   * the way to it. Each has ended, or handed its claim back; none is a process of which only the lease has run out.
   */
  | { readonly kind: "in-doubt"; readonly sendsBefore: number; readonly isSenderGone: boolean }
  | Shown
  | { readonly kind: "sent"; readonly receipt: Receipt }
  | { readonly kind: "lost" }; // the lease is lost: say nothing

/** A preview of it is out: what is said now is edited into that message, and never said beside it. */
export interface Shown {
  readonly kind: "shown";
  readonly receipt: Receipt;
}

/** What became of a send: said; a preview of it is out; or `not-sent`, when the platform certainly did not take it. */
export type Fate = Receipt | Shown | "not-sent";

/** Remembers what was said aloud, so that a repeated run stays quiet. */
export interface Outbox {
  /** Stores what a run has come to and reserves the first part of saying it, both or, when the lease is lost, neither. */
  begin(job: Job, progress: Progress, partId: string): Promise<Reservation>;
  /** Durable before it resolves. Part ids are `${event id}/…` and never shared by two events. */
  reserve(job: Job, partId: string): Promise<Reservation>;
  /**
   * A receipt is kept whoever brings it. Anything else counts for the reservation that was made last, when that was by
   * this process: a preview is out, or the reservation is taken back; so is a preview that is not there any more.
   */
  record(partId: string, fate: Fate): Promise<void>;
}
