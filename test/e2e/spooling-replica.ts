import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { allRecords, judgeReplies } from "./judge.ts";
import { type Conversation, nextQuestion } from "./load.ts";
import { deliver, type Platforms } from "./platforms.ts";

const SPOOL = `${NO_LIMITS}  store: { spool: on }\n`;

/** Platforms of its own for each test: all ask the same. */
export function replicaOf(redisUrl: string, platforms: Platforms): Promise<GatewayProcess> {
  return startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(SPOOL),
    env: { ...platforms.env, REDIS_URL: redisUrl },
  });
}

/**
 * Each conversation's next message, all at once, each sent once. Gives what was not 200: the gateway itself answers 503
 * when the platform would not wait any longer.
 */
export async function askAll(
  url: string,
  conversations: readonly Conversation[],
  times: number[] = [],
): Promise<readonly number[]> {
  const statuses = await Promise.all(
    conversations.map(async (conversation) => {
      const question = nextQuestion(conversation);
      const startedAt = performance.now();
      const { status } = await deliver(url, question.request);
      times.push(performance.now() - startedAt);
      question.isAcknowledged = status === 200;
      return status;
    }),
  );
  return statuses.filter((status) => status !== 200);
}

/** Everything acknowledged was answered once and in order. */
export function judged(platforms: Platforms, conversations: readonly Conversation[]) {
  const { lost, duplicated, reordered } = judgeReplies(allRecords(platforms), conversations);
  return { lost, duplicated, reordered };
}

export const CLEAN = { lost: [], duplicated: [], reordered: [] };
