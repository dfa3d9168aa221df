import { fullName } from "../domain/approval.ts";
import type { Progress } from "../domain/run.ts";
import type { RunQuestions } from "../ports/agent.ts";
import type { Questions } from "../ports/questions.ts";
import type { Job } from "../ports/queue.ts";
import type { Logger } from "../telemetry/log.ts";

interface AskedDeps {
  readonly questions: Pick<Questions, "open" | "close">;
  readonly log: Logger;
}

/** Where what a run asks is found by its id; each decision has its line, at least once. */
export function questionsOf(
  { event, lane }: Job,
  { agent, runId }: Pick<Progress, "agent" | "runId">,
  { questions, log }: AskedDeps,
): RunQuestions {
  const about = { event_id: event.id, conversation_id: event.conversation, run_id: runId, agent };
  return {
    opened: ({ approvalId }) => questions.open({ approvalId, eventId: event.id, lane }),
    async decided({ approvalId, use, askedAtMs }, { verdict, by, reason, atMs }, votes) {
      const deciders = [...votes.map((vote) => vote.by), ...(by === null ? [] : [by])];
      if (!(await questions.close(approvalId))) return;
      log.info(
        {
          ...about,
          approval_id: approvalId,
          ...use,
          verdict,
          by: deciders.map((decider) => fullName(decider, event)),
          asked_by: fullName(event.sender, event),
          has_reason: reason !== undefined,
          waited_ms: atMs === undefined ? undefined : atMs - askedAtMs,
        },
        "approval.decided",
      );
    },
  };
}
