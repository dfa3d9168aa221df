import { fullName } from "../domain/approval.ts";
import { approvalDecided, approvalRequested } from "../domain/happened.ts";
import type { Progress } from "../domain/run.ts";
import type { RunQuestions } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Grants } from "../ports/grants.ts";
import type { Hooks } from "../ports/hooks.ts";
import type { Questions } from "../ports/questions.ts";
import type { Job } from "../ports/queue.ts";
import { iso } from "../shared/time.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";

export interface AskedDeps {
  readonly questions: Pick<Questions, "open" | "close" | "find">;
  readonly grants: Pick<Grants, "allow" | "find">;
  readonly hooks?: Hooks;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
}

/** Where what a run asks is found by its id; each decision has its line, at least once. */
export function questionsOf(
  { event, lane }: Job,
  { agent, runId }: Pick<Progress, "agent" | "runId">,
  { questions, grants, hooks, clock, log }: AskedDeps,
): RunQuestions {
  const about = { ...eventIds(event), conversation_id: event.conversation, run_id: runId, agent };
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
    async opened({ approvalId, use, askedAtMs, untilMs }) {
      const asked = { approvalId, runId, agent, use, expiresAtMs: untilMs };
      // Hooks first, and once: what is open was told, also where the run is taken up again.
      if (hooks !== undefined && (await questions.find(approvalId)) === null)
        await hooks.publish(approvalRequested(event, asked, askedAtMs));
      await questions.open({ approvalId, eventId: event.id, lane });
    },
    async decided({ approvalId, use, askedAtMs }, { verdict, by, reason, atMs, always }, votes) {
      const deciders = [...votes.map((vote) => vote.by), ...(by === null ? [] : [by])];
      const names = deciders.map((decider) => fullName(decider, event));
      const told = { approvalId, runId, agent, use, verdict, by: names };
      await hooks?.publish(approvalDecided(event, told, atMs ?? clock.nowMs()));
      if (!(await questions.close(approvalId))) return;
      log.info(
        {
          ...about,
          approval_id: approvalId,
          ...use,
          verdict,
          by: names,
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
