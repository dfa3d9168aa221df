import { z } from "zod";
import type { Clock } from "../ports/clock.ts";
import type { StillFile } from "../ports/still-file.ts";
import { type ApiResponse, problem } from "./responses.ts";

/** Whoever copies asks again well before this; who has gone holds the file no longer than this. */
const HOLD_MS = 60_000;

export const backupSchema = z.object({
  id: z.string(),
  path: z.string().describe("The database file of this process, on the machine that it runs on."),
  bytes: z.int(),
  identity: z.string().describe("Device and number of the file, by which whoever copies knows it again."),
  for_seconds: z.int().describe("It is left as it is for so long; asking again begins that time anew."),
});

export const heldBackupSchema = z.object({
  id: z.string(),
  still: z
    .boolean()
    .describe("False: the file was written to meanwhile, and what was copied of it is worth nothing."),
});

export interface BackupDeps {
  /** Of this process; null: it has none. */
  readonly still: StillFile | null;
  readonly clock: Pick<Clock, "nowMs">;
}

export interface Backups {
  start(): Promise<ApiResponse>;
  extend(id: string): Promise<ApiResponse>;
  end(id: string): Promise<ApiResponse>;
}

/** One copy at a time; who asks about another one, such as after a restart, learns that there is none. */
export function createBackups({ still, clock }: BackupDeps): Backups {
  let now: string | null = null;
  let count = 0;
  const unknown = () => problem(404, "There is no such backup in progress in this process");
  return {
    async start() {
      if (still === null) return problem(409, "This process has no file of its own: its store is Redis");
      const held = await still.hold(HOLD_MS);
      if (held === null)
        return problem(
          409,
          "The file cannot be held still now: another backup is being made, or it is damaged",
        );
      now = `bak_${clock.nowMs().toString(36)}_${++count}`;
      const { bytes, identity } = held;
      return {
        status: 200,
        body: { id: now, path: still.path, bytes, identity, for_seconds: HOLD_MS / 1000 },
      };
    },
    async extend(id) {
      if (still === null || id !== now) return unknown();
      return { status: 200, body: { id, still: await still.extend(HOLD_MS) } };
    },
    async end(id) {
      if (still === null || id !== now) return unknown();
      now = null;
      return { status: 200, body: { id, still: await still.release() } };
    },
  };
}
