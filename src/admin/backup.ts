import { z } from "zod";
import type { NewId } from "../ports/clock.ts";
import type { FileAnswer, FileQuestion, Siblings } from "../ports/siblings.ts";
import type { StillFile } from "../ports/still-file.ts";
import { type ApiResponse, problem } from "./responses.ts";

/** Whoever copies asks again well before this; who has gone holds the file no longer than this. */
const HOLD_MS = 60_000;

export const backupSchema = z.object({
  id: z.string(),
  path: z.string().describe("The database file, on the machine that the gateway runs on."),
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
  /** Null: this process is the only one. */
  readonly siblings: Siblings | null;
  readonly newId: NewId;
}

export interface Backups {
  /** `file`: whose identity this is, whichever process has it; null: that of this process. */
  start(file: string | null): Promise<ApiResponse>;
  extend(id: string): Promise<ApiResponse>;
  end(id: string): Promise<ApiResponse>;
}

/** One copy of a file at a time; who asks about another one, such as after a restart, learns that there is none. */
export function createBackups({ still, siblings, newId }: BackupDeps): Backups {
  let now: string | null = null;

  async function hold(identity: string | null): Promise<FileAnswer | null> {
    const held = await still?.hold(HOLD_MS);
    if (still === null || held === null || held === undefined) return null;
    if (identity !== null && held.identity !== identity) {
      await still.release();
      return null;
    }
    now = newId("bak");
    return { kind: "held", id: now, path: still.path, ...held };
  }

  /** Null: it is not about what this process has. */
  async function own(question: FileQuestion): Promise<FileAnswer | null> {
    if (question.kind === "hold") return await hold(question.identity);
    if (still === null || question.id !== now) return null;
    if (question.kind === "extend") return { kind: "kept", isStill: await still.extend(HOLD_MS) };
    now = null;
    return { kind: "kept", isStill: await still.release() };
  }
  siblings?.answerBy(own);

  const anyone = async (question: FileQuestion) =>
    (await own(question)) ?? (await siblings?.ask(question)) ?? null;

  async function kept(question: Exclude<FileQuestion, { kind: "hold" }>): Promise<ApiResponse> {
    const answer = await anyone(question);
    return answer?.kind === "kept"
      ? { status: 200, body: { id: question.id, still: answer.isStill } }
      : problem(404, "There is no such backup in progress in this gateway");
  }

  return {
    async start(file) {
      if (file === null && still === null)
        return problem(409, "This process has no file of its own: its store is Redis");
      const answer = file === null ? await hold(null) : await anyone({ kind: "hold", identity: file });
      if (answer?.kind !== "held")
        return file === null
          ? problem(409, "The file cannot be held still now: another backup is being made, or it is damaged")
          : problem(404, `Expected a file of this gateway that can be held still now, got ${file}`);
      const { kind: _, ...held } = answer;
      return { status: 200, body: { ...held, for_seconds: HOLD_MS / 1000 } };
    },
    extend: async (id) => await kept({ kind: "extend", id }),
    end: async (id) => await kept({ kind: "release", id }),
  };
}
