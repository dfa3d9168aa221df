import { ask } from "../../e2e/ask.ts";
import { configFolder, NO_LIMITS } from "../../e2e/configuration.ts";
import { startGateway, temporaryFolder } from "../../e2e/gateway-process.ts";
import { median } from "../drive.ts";
import { cpuMicrosOf } from "../server-process.ts";

export interface Steps {
  readonly runs: number;
  /** Of a run that uses tools: what it records beyond one that does not. */
  readonly steps: number;
  /** Of the whole process, for one recorded step. */
  readonly cpuMicros: number;
}

const AGENT = `metadata: { name: assistant }
spec:
  model: { provider: demo }
  budgets: { tokens: 100000000 }
  tools: [{ name: clock, type: builtin, builtin: time }]
`;
const CALLS = 20;
/** Each call is two: begun, and what it said. The model answers once more. */
const STEPS = 2 * CALLS + 1;
const CONVERSATIONS = 8;
const PLAIN = "hello";
const TOOLS = Array.from({ length: CALLS }, () => "demo: tool clock__time {}").join("\n");

/** A model and a tool that answer at once: what is left is ours. Runs with and without tools take turns. */
export async function benchSteps({ rounds, runs }: { rounds: number; runs: number }): Promise<Steps> {
  await using gateway = await startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(NO_LIMITS, AGENT),
  });
  const cpuOf = async (message: string, said: string): Promise<number> => {
    const before = cpuMicrosOf(gateway.pid);
    await Promise.all(
      Array.from({ length: CONVERSATIONS }, async (_, n) => {
        for (let run = 0; run < runs / CONVERSATIONS; run++) {
          const { reply } = await ask(gateway.url, { message, conversation: `c${n}`, wait: 60 });
          if (!reply?.includes(said)) throw new Error(`Expected ${said} … in the reply, got ${reply}`);
        }
      }),
    );
    return (cpuMicrosOf(gateway.pid) - before) / runs;
  };
  const perStep: number[] = [];
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const plain = await cpuOf(PLAIN, "You said: hello");
    const micros = ((await cpuOf(TOOLS, "Tool clock__time said:")) - plain) / STEPS;
    if (round > 0) perStep.push(micros);
  }
  return { runs: rounds * runs, steps: STEPS, cpuMicros: median(perStep) };
}
