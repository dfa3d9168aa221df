import type { RunObserver } from "../agent/agent.ts";
import type { Usage } from "../domain/run.ts";
import type { Audit } from "../ports/audit.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { toolMetrics } from "./tools.ts";

/** What happens in runs, as metrics, lines of the log and entries of the audit. */
export function runObserver(
  metrics: Metrics,
  log: Pick<Logger, "info" | "warn">,
  audit: Audit | undefined,
): RunObserver {
  return {
    guarded({ agent, runId, event, tool, effect, verdict }) {
      metrics.guardVerdicts.inc({ agent, tool, verdict });
      const about = { agent, tool, effect, verdict };
      log[verdict === "allowed" ? "info" : "warn"](
        { ...eventIds(event), run_id: runId, ...about },
        "tool.guarded",
      );
      void audit?.write({
        ...{ actor: "gateway", role: "system", action: "tool.guarded", subject: event.id },
        after: about,
      });
    },
    compaction({ agent, runId, event, outcome, cause, turns, usage }) {
      metrics.compactions.inc({ agent, outcome });
      const about = { ...eventIds(event), run_id: runId, agent, turns };
      const { inputTokens: input_tokens, outputTokens: output_tokens, costCents: cost_cents } = usage;
      if (outcome === "made")
        log.info({ ...about, input_tokens, output_tokens, cost_cents }, "memory.compacted");
      else log.warn({ ...about, outcome, cause, cost_cents }, "memory.not_compacted");
    },
    cached({ agent, outcome }) {
      metrics.answerCache.inc({ agent, outcome });
    },
    toolCall: toolMetrics(metrics),
    modelCall({ agent, provider, model, outcome, durationMs, usage }) {
      const of = { agent, provider, model };
      metrics.modelCalls.inc({ ...of, outcome });
      metrics.modelSeconds.observe(of, durationMs / 1000);
      for (const [kind, tokens] of Object.entries(tokensByKind(usage)))
        metrics.modelTokens.inc({ ...of, kind }, tokens);
      metrics.modelCost.inc(of, usage.costCents / 100);
    },
    retry() {
      metrics.retries.inc({ stage: "model" });
    },
  };
}

/** Each token once, so that the sum is what was used: a provider counts what came from a cache as input, too. */
function tokensByKind({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage) {
  return {
    input: Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens),
    cache_read: cacheReadTokens,
    cache_write: cacheWriteTokens,
    output: outputTokens,
  };
}
