import { Worker } from "node:worker_threads";
import type { Clock } from "../../ports/clock.ts";
import type { Retention } from "../../ports/retention.ts";
import type { StillFile } from "../../ports/still-file.ts";
import type { Overdue, Soundness } from "../../ports/upkeep.ts";
import { besideModule } from "../../shared/beside.ts";
import { describe } from "./fault.ts";

/** What is asked about a whole file, which takes too long for the thread that serves everybody. */
export type Question =
  | { readonly kind: "check" }
  | { readonly kind: "overdue"; readonly retention: Retention };
export interface LookData {
  readonly file: string;
  readonly question: Question;
  readonly nowMs: number;
}
export type Looked = { readonly answer: Soundness | Overdue } | { readonly cause: string };

export interface LookAt {
  (question: { readonly kind: "check" }): Promise<Soundness | "busy">;
  (question: { readonly kind: "overdue"; readonly retention: Retention }): Promise<Overdue | "busy">;
}

const THREAD = new URL(besideModule(import.meta.url, "look-thread"));
const HOLD_MS = 60_000;
/** Well within that. */
const EXTENDED_EVERY_MS = 15_000;

/** A thread of its own reads the file while it is held still, and the thread that owns it serves on by its log. */
export function createLookAt(still: StillFile, clock: Clock): LookAt {
  return async <Answer>(question: Question): Promise<Answer | "busy"> => {
    if ((await still.hold(HOLD_MS)) === null) return "busy";
    const extending = setInterval(() => void still.extend(HOLD_MS), EXTENDED_EVERY_MS);
    let looked: Looked;
    try {
      looked = await ask({ file: still.path, question, nowMs: Math.trunc(clock.nowMs()) });
    } finally {
      clearInterval(extending);
      // What was read of a file that was written to meanwhile says nothing.
      if (!(await still.release())) looked = { cause: "" };
    }
    if ("answer" in looked) return looked.answer as Answer;
    if (looked.cause === "") return "busy";
    throw new Error(looked.cause);
  };
}

async function ask(data: LookData): Promise<Looked> {
  const thread = new Worker(THREAD, { workerData: data, env: {} });
  return await new Promise<Looked>((resolve) => {
    thread.once("message", resolve);
    thread.once("error", (error) => resolve({ cause: describe(error) }));
    thread.once("exit", (code) => resolve({ cause: `the thread that looked ended with ${code}` }));
  });
}
