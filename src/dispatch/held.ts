import { RunAborted } from "../domain/abort.ts";
import type { Progress } from "../domain/run.ts";
import type { Job, Queue } from "../ports/queue.ts";

/** Throws RunAborted when the lease is lost: nothing was recorded. */
export async function checkpoint(
  job: Job,
  progress: Progress,
  { queue }: { readonly queue: Pick<Queue, "checkpoint"> },
): Promise<void> {
  if (!(await queue.checkpoint(job, progress))) throw new RunAborted("lease-lost");
}

export async function ensureHeld(isHeld: () => Promise<boolean>): Promise<void> {
  if (!(await isHeld())) throw new RunAborted("lease-lost");
}
