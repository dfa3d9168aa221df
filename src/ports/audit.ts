import type { Deed } from "../domain/audit.ts";

/** Who did what is noted for good. Whoever changes something says so here, after it is done. */
export interface Audit {
  /**
   * Resolves once it is kept, or after a second: then it is kept as soon as the store is there again, while the process
   * lives. Never rejects, so that no change fails for its note.
   */
  write(deed: Omit<Deed, "atMs">): Promise<void>;
}
