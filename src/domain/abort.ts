/**
 * Why a run is broken off:
 * - `stopped`: a person asked for it; the run ends with that as its answer
 * - `interrupted`: a newer message ends it; the next run goes on with the recorded steps, and answers both
 * - `withdrawn`: whoever wrote the message has taken it back; nothing is said, and nothing remembered
 * - `draining`: this process is going down; another holder goes on with the recorded steps
 * - `lease-lost`: another holder already has the run
 */
export type AbortReason = "stopped" | "interrupted" | "withdrawn" | "draining" | "lease-lost";

/** The reason of the signal that a run is given. */
export class RunAborted extends Error {
  readonly why: AbortReason;

  constructor(why: AbortReason) {
    super(`The run was aborted: ${why}`);
    this.name = "RunAborted";
    this.why = why;
  }
}
