import { CRASHES_MAX, CUT_OFFS_MAX } from "../domain/bounds.ts";
import type { Job } from "../ports/queue.ts";

/**
 * Why this event is not to be run again; null: it may be. It was in the hand of too many processes that died, either
 * nearly alone, which makes it a suspect, or among any number of others. `grace`: how many more are forgiven.
 */
export function poisonCauseOf({ cutOffs, crashes }: Job, grace = 0): string | null {
  if (crashes >= CRASHES_MAX + grace) return `gave up after ${CRASHES_MAX} deaths of the process that ran it`;
  if (cutOffs < CUT_OFFS_MAX + grace) return null;
  return `gave up after ${CUT_OFFS_MAX} attempts that were cut off by the end of the process`;
}
