import { type Judgement, judgeReplies, type SaidOn } from "../e2e/judge.ts";
import type { Conversation } from "../e2e/load.ts";
import { type CallEvidence, type CallJudgement, judgeCalls } from "./judge-calls.ts";

/** What was seen from outside: by those who sent, by the platforms, by the provider of the model, and by whoever killed. */
export interface Evidence extends CallEvidence {
  readonly conversations: readonly Conversation[];
  readonly said: readonly SaidOn[];
  /** How the gateways have ended once all was calm: their exit codes. */
  readonly endings: readonly unknown[];
  /** What did not come to its end. */
  readonly stuck: readonly string[];
}

export interface Verdict {
  readonly replies: Judgement;
  readonly runs: CallJudgement;
  /** Every broken promise, in one line each. */
  readonly violations: readonly string[];
}

export function verdictOn(evidence: Evidence): Verdict {
  const replies = judgeReplies(evidence.said, evidence.conversations);
  const runs = judgeCalls(evidence);
  const kinds: [string, readonly string[]][] = [
    ["not come to its end", evidence.stuck],
    ["acknowledged and not answered", replies.lost],
    ["said more than once, unmarked", replies.duplicated],
    ["answered out of order", replies.reordered],
    ["two runs of one conversation at once", runs.overlapping],
    ["run again although nobody died in it", runs.repeated],
    ["run out of order", runs.reordered],
    ["not shown exactly what was said before", runs.forgetful],
    ["did not end well", evidence.endings.filter((ending) => ending !== 0).map(String)],
  ];
  const violations = kinds.flatMap(([what, found]) => found.map((one) => `${what}: ${one}`));
  return { replies, runs, violations };
}
