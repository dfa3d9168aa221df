import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Seconds that the longest files take on two quiet cores, roughly. A machine that has never run them begins with these
 * all the same, so that none is left over when the others have ended.
 */
export const SECONDS: Readonly<Record<string, number>> = {
  "test/e2e/streams-slack.test.ts": 75,
  "test/e2e/streams-discord.test.ts": 75,
  "test/e2e/waiting.test.ts": 73,
  "test/e2e/drill.test.ts": 45,
  "test/e2e/previews.test.ts": 70,
  "test/e2e/processes.test.ts": 69,
  "test/e2e/unwritten.test.ts": 67,
  "test/e2e/spool.test.ts": 61,
  "test/e2e/replicas.test.ts": 60,
  "test/e2e/redis-away.test.ts": 58,
  "test/e2e/hostile-upstream.test.ts": 50,
  "test/chaos/chaos.test.ts": 50,
  "test/e2e/redis-absent.test.ts": 42,
  "test/e2e/admin.test.ts": 40,
  "test/e2e/console.test.ts": 40,
  "test/e2e/platforms/discord-gateway.test.ts": 40,
  "test/e2e/files-out.test.ts": 40,
  "test/e2e/reload.test.ts": 32,
  "test/e2e/approval.test.ts": 26,
  "test/e2e/proxies.test.ts": 25,
  "test/e2e/restart.test.ts": 23,
  "test/e2e/topologies.test.ts": 22,
  "test/e2e/platforms/slack-socket.test.ts": 21,
  "test/e2e/freeze.test.ts": 17,
  "test/e2e/budgets.test.ts": 19,
  "test/e2e/stub.test.ts": 19,
  "test/e2e/kill-loop.test.ts": 16,
  "test/e2e/housekeeping.test.ts": 17,
  "test/e2e/faults.test.ts": 15,
  "test/e2e/approval-buttons.test.ts": 14,
  "test/store/faults.test.ts": 16,
  "test/store/redis/stall.test.ts": 15,
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
