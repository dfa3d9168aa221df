import type { ReplayMode } from "./journal.ts";

/** Finished events, brought back or put away by an operator. Nothing here touches what waits or runs. */
export interface Archive {
  /**
   * Puts a finished event (`states` says which kinds may be) at the end of its lane, under its old id and with all
   * its attempts before it. Atomic: of two at once, one finds it waiting already. What was merged into it comes with it,
   * and never alone.
   */
  replay(id: string, request: ReplayRequest): Promise<ReplayAnswer>;
  /** A dead letter becomes `dropped`, its cause the operator. False: it is no dead letter. */
  drop(id: string, by: string): Promise<boolean>;
}

export interface ReplayRequest {
  readonly by: string;
  readonly mode: ReplayMode;
  readonly states: readonly ("done" | "dropped" | "dead")[];
  /** Only the event as it was read with this number: each replay gives it a new one. */
  readonly seq?: number;
}

/** `full`: too much waits already, as for Acceptance. `changed`: it has been replayed since it had that number. */
export type ReplayAnswer = "queued" | "not-finished" | "changed" | "wrong-state" | "unknown" | "full";
