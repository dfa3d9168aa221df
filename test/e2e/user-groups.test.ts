import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, seenOn, webhook } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";

const agent = (name: string) => `apiVersion: parley/v1
kind: Agent
metadata: { name: ${name} }
spec:
  model: { provider: demo }
`;
const GATEWAY = `apiVersion: parley/v1
kind: Gateway
spec:
  platforms: { slack: { access: { roles: [S1, S2] } } }
  routes:
    - { match: { role: S2 }, agent: ops }
    - { agent: assistant }
`;

function folder(): string {
  const path = temporaryFolder();
  mkdirSync(join(path, "agents"));
  writeFileSync(join(path, "gateway.yaml"), GATEWAY);
  for (const name of ["assistant", "ops"]) writeFileSync(join(path, `agents/${name}.yaml`), agent(name));
  return path;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

describe.each(["sqlite", "redis"] as const)("Slack's user groups, with the record in %s", (store) => {
  it("decide who is let in and who answers, and keep no acknowledgement waiting", async () => {
    await using platforms = await openPlatforms();
    const { slack } = platforms;
    slack.groups.members.set("S1", ["U1"]).set("S2", ["U2"]);
    const { promise: asLongAsItTakes, resolve: tell } = Promise.withResolvers<void>();
    const match = ({ path }: { path: string }) => path.endsWith("/usergroups.list");
    slack.faults.push(
      { kind: "status", status: 503, match },
      { kind: "slow", until: asLongAsItTakes, match },
    );
    await using gateway = await startGateway({
      ...{ dataDir: temporaryFolder(), config: folder() },
      env: { ...platforms.env, ...(store === "redis" && { REDIS_URL: redis.url }) },
    });
    const say = async (user: string, channel: string) => {
      const sent = webhook("slack", { kind: "mention", user, channel, text: "hello" });
      expect(await deliver(gateway.url, sent)).toMatchObject({ status: 200 });
    };
    const answerIn = (channel: string) =>
      seenOn(slack, () => slack.messages.find((one) => one.channel === channel)?.text);
    const runsOf = async (name: string) =>
      (await scrapeWhenIdle(gateway.url)).value(
        `parley_run_attempts_total{agent="${name}",outcome="answered"}`,
      );

    // Slack has said nothing of groups yet, and does not until all of these were acknowledged.
    await say("U1", "C1");
    await say("U2", "C2");
    await say("U9", "C9");
    expect(slack.messages).toEqual([]);
    tell();
    expect(await Promise.all(["C1", "C2", "C9"].map(answerIn))).toEqual([
      expect.stringContaining("You said: hello"),
      expect.stringContaining("You said: hello"),
      "You need a role that I do not see with you. Ask where you have it, or an administrator.",
    ]);
    expect([await runsOf("assistant"), await runsOf("ops")]).toEqual([1, 1]);

    // From now on it is known as a message arrives.
    await say("U1", "C11");
    await say("U2", "C12");
    await say("U2", "C13");
    await Promise.all(["C11", "C12", "C13"].map(answerIn));
    expect([await runsOf("assistant"), await runsOf("ops")]).toEqual([2, 3]);
    expect(slack.calls.filter(match)).toHaveLength(2);
  });
});
