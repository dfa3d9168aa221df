import { NO_USAGE } from "../domain/run.ts";
import type { RunResult } from "../ports/agent.ts";

/** What the bot itself says, without any model. */
export type OwnWords = Pick<RunResult, "text" | "buttons" | "menu">;

export function saidByUs(said: OwnWords): RunResult {
  return { outcome: "answered", ...said, usage: NO_USAGE, modelCalls: 0 };
}
