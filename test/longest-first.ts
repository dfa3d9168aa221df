import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Seconds that the longest files take on two cores, five of them side by side, roughly. A machine that has never run them begins with these
 * all the same, so that none is left over when the others have ended.
 */
export const SECONDS: Readonly<Record<string, number>> = {
  "test/chaos/chaos.test.ts": 107,
  "test/e2e/replicas.test.ts": 103,
  "test/e2e/schedules.test.ts": 87,
  "test/e2e/waiting.test.ts": 71,
  "test/e2e/streams-slack.test.ts": 68,
  "test/e2e/unwritten.test.ts": 68,
  "test/e2e/upgrade-script.test.ts": 68,
  "test/e2e/streams-discord.test.ts": 66,
  "test/e2e/platforms/discord-gateway.test.ts": 62,
  "test/e2e/agents.test.ts": 62,
  "test/e2e/previews.test.ts": 59,
  "test/e2e/processes.test.ts": 58,
  "test/e2e/redis-away.test.ts": 58,
  "test/e2e/files-out.test.ts": 53,
  "test/e2e/hostile-upstream.test.ts": 49,
  "test/e2e/drill.test.ts": 49,
  "test/e2e/console.test.ts": 42,
  "test/e2e/redis-absent.test.ts": 39,
  "test/e2e/platforms/schedules.test.ts": 37,
  "test/e2e/approval.test.ts": 34,
  "test/e2e/compaction.test.ts": 33,
  "test/e2e/spool.test.ts": 32,
  "test/e2e/pages.test.ts": 30,
  "test/e2e/approval-buttons.test.ts": 29,
  "test/e2e/tenants.test.ts": 28,
  "test/e2e/scripts.test.ts": 24,
  "test/e2e/live.test.ts": 22,
  "test/e2e/topologies.test.ts": 21,
  "test/e2e/housekeeping.test.ts": 20,
  "test/e2e/secrets.test.ts": 20,
  "test/e2e/reload.test.ts": 19,
  "test/e2e/upgrade.test.ts": 19,
  "test/e2e/hooks.test.ts": 19,
  "test/e2e/restart.test.ts": 18,
  "test/e2e/asked-agents.test.ts": 18,
  "test/e2e/admin.test.ts": 17,
  "test/e2e/platforms/slack-socket.test.ts": 16,
  "test/e2e/freeze.test.ts": 16,
  "test/e2e/inbound.test.ts": 16,
  "test/e2e/user-groups.test.ts": 16,
  "test/store/faults.test.ts": 16,
  "test/e2e/budgets.test.ts": 15,
  "test/e2e/faults.test.ts": 15,
  "test/e2e/files-kept.test.ts": 15,
  "test/store/redis/stall.test.ts": 15,
  "test/e2e/backup.test.ts": 14,
  "test/store/redis/cluster.test.ts": 14,
  "test/store/redis/random.test.ts": 14,
  "test/cli/bin.test.ts": 14,
};

/** Groups one after the other, the files of a project together, as they share what they have loaded; the longest first. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return inOrder(await super.sort(files));
  }
}

export function inOrder(files: readonly TestSpecification[]): TestSpecification[] {
  const projects = [...new Set(files.map(({ project }) => project.name))];
  const rank = (file: TestSpecification) => projects.indexOf(file.project.name);
  return files.toSorted(
    (one, other) =>
      groupOf(one) - groupOf(other) || rank(one) - rank(other) || secondsOf(other) - secondsOf(one),
  );
}

const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;

function secondsOf({ moduleId, project }: TestSpecification): number {
  return SECONDS[relative(project.config.root, moduleId)] ?? 0;
}
