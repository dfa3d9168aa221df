import { join } from "node:path";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { benchEnv } from "./accept.ts";
import { drive, median, percentile, toWire } from "./drive.ts";
import { fill } from "./fill.ts";
import { KEYS } from "./secrets.ts";
import { startServer } from "./server-process.ts";

export interface ConversationsCost {
  readonly idle: number;
  readonly emptyP50Ms: number;
  readonly fullP50Ms: number;
  /** Median over the rounds of full against empty. */
  readonly ratio: number;
}

const REQUESTS = 1_000;

/** Accept latency with very many idle conversations in the store against an empty one. */
export async function benchConversations(options: {
  idle: number;
  rounds: number;
}): Promise<ConversationsCost> {
  const fullEnv = benchEnv({ acceptOnly: true });
  // The first start makes the schema.
  await (await startServer("gateway.ts", { env: fullEnv })).stop();
  fill(join(fullEnv.PARLEY_DATA_DIR ?? "", "parley.db"), options.idle);
  const full = await startServer("gateway.ts", { env: fullEnv });
  const empty = await startServer("gateway.ts", { env: benchEnv({ acceptOnly: true }) });
  const rounds: { empty: number; full: number }[] = [];
  let next = 0;
  const p50 = async (port: number) => {
    const requests = Array.from({ length: REQUESTS }, () => request(next++));
    return percentile((await drive(port, requests, 1)).latencies, 0.5);
  };
  try {
    for (let round = 0; round <= options.rounds; round++) {
      const result = { empty: await p50(empty.port), full: await p50(full.port) };
      if (round > 0) rounds.push(result);
    }
  } finally {
    await Promise.all([full.stop(), empty.stop()]);
  }
  return {
    idle: options.idle,
    emptyP50Ms: median(rounds.map((round) => round.empty)),
    fullP50Ms: median(rounds.map((round) => round.full)),
    ratio: median(rounds.map((round) => round.full / round.empty)),
  };
}

function request(index: number): Buffer {
  return toWire(
    slackSampler.build({
      kind: "mention",
      text: `benchmark message ${index}`,
      id: `conversations.${process.pid}.${index}`,
      nowMs: Date.now(),
      secret: KEYS.slack,
      user: `U${index}`,
      channel: `C${index}`,
    }),
  );
}
