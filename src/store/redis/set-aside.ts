import type { Redis } from "ioredis";
import { loadScripts } from "./scripts.ts";

/** Of a dead letter: what an operator reads who decides about it. The same as of SQLite. */
const CAUSE = "restored from a backup: whether it was answered after that is not known";

/**
 * Makes dead letters of what waited or ran when a snapshot was taken, as for SQLite. For a server that nobody else uses: it is
 * one script, however much there is. Gives how many were set aside.
 */
export async function setAsideIn(client: Redis, prefix: string): Promise<number> {
  const { source } = loadScripts().set_aside;
  return Number(await client.eval(source, 1, `{${prefix}}:meta`, "", CAUSE));
}
