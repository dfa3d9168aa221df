import { fullName } from "../domain/approval.ts";
import type { Progress } from "../domain/run.ts";
import type { RunQuestions } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Grants } from "../ports/grants.ts";
import type { Questions } from "../ports/questions.ts";
import type { Job } from "../ports/queue.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";

interface AskedDeps {
  readonly questions: Pick<Questions, "open" | "close">;
  readonly grants: Pick<Grants, "allow" | "find">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
}

/** Where what a run asks is found by its id; each decision has its line, at least once. */
export function questionsOf(
  { event, lane }: Job,
  { agent, runId }: Pick<Progress, "agent" | "runId">,
  { questions, grants, clock, log }: AskedDeps,
): RunQuestions {
  const about = { event_id: event.id, conversation_id: event.conversation, run_id: runId, agent };
  const granted = (tool: string) => ({ conversation: event.conversation, agent, tool });
  return {
    allow: (tool, until) => grants.allow(granted(tool), until),
    async allowed(tool) {
      const grant = await grants.find(granted(tool), clock.nowMs());
      if (grant !== null)
        log.info(
          { ...about, tool, by: fullName(grant.by, event), until: iso(grant.untilMs) },
          "approval.remembered",
        );
      return grant;
    },
    opened: ({ approvalId }) => questions.open({ approvalId, eventId: event.id, lane }),
    async decided({ approvalId, use, askedAtMs }, { verdict, by, reason, atMs, always }, votes) {
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
          always: always === true,
          has_reason: reason !== undefined,
          waited_ms: atMs === undefined ? undefined : atMs - askedAtMs,
        },
        "approval.decided",
      );
    },
  };
}
