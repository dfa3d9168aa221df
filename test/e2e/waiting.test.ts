import { describe, expect, it } from "vitest";
import { startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import {
  CHAT_PLATFORMS,
  type ChatPlatform,
  deliver,
  openPlatforms,
  type Platforms,
  privateMessage,
} from "./platforms.ts";
import { type Provider, type ProviderState, startProvider } from "./provider.ts";
import { recordsOf } from "./records.ts";
import { scrapeWhenIdle } from "./scrape.ts";

const LINE =
  "The assistant cannot be reached right now. Your message is kept and I keep trying; an answer follows as soon as there is one.";
const SPEC = `${NO_LIMITS}  notices: { waiting_seconds: 1 }\n`;
const AGENT = `metadata: { name: assistant }
spec:
  model: { provider: anthropic, model: claude-sonnet-5 }
  retry: { max_attempts: 1 }
`;
const LEASE_MS = 3_000;

function gatewayOf(
  platforms: Platforms,
  provider: Provider,
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  return startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(SPEC, AGENT),
    command: [process.execPath, `${ROOT}/test/e2e/short-lease.ts`, String(LEASE_MS)],
    env: { ...platforms.env, ANTHROPIC_BASE_URL: provider.url, ANTHROPIC_API_KEY: "key-of-all", ...env },
  });
}

/** What people can read, without what platforms put around it. */
function heard(platforms: Platforms): Record<ChatPlatform, readonly string[]> {
  const on = (name: ChatPlatform) =>
    recordsOf(platforms, name).map(({ text }) => text.replaceAll("\\", "").trim());
  return { slack: on("slack"), discord: on("discord"), telegram: on("telegram"), whatsapp: on("whatsapp") };
}

const TOLD = { slack: [LINE], discord: [LINE], telegram: [LINE], whatsapp: [LINE] };
const ANSWER = "The answer.";
/** After an interaction on Discord the answer takes the place of what stood there. */
const ANSWERED = {
  slack: [LINE, ANSWER],
  telegram: [LINE, ANSWER],
  whatsapp: [LINE, ANSWER],
  discord: [ANSWER],
};

/** Slack is sent a form, the others JSON. */
const saysTheLine = ({ body }: { body: string }) => /cannot[ +]be[ +]reached/.test(body);

/** How often each platform was asked to say the line, whatever became of it. */
function timesSaid(platforms: Platforms): readonly number[] {
  return CHAT_PLATFORMS.map((name) => platforms[name].calls.filter(saysTheLine).length);
}
const ONCE = [1, 1, 1, 1];

/** Resolves when people on all platforms can read this. */
async function read(platforms: Platforms, text: string): Promise<void> {
  for (const name of CHAT_PLATFORMS)
    await platforms[name].until(() => heard(platforms)[name].includes(text), 90_000);
}

async function askOnAll(urls: readonly string[]): Promise<void> {
  for (const [n, name] of CHAT_PLATFORMS.entries()) {
    const request = privateMessage(name, { person: 4_000 + n, text: "Is the pump well?" });
    expect((await deliver(urls[n % urls.length] ?? "", request)).status).toBe(200);
  }
}

describe("who waits for a model that", () => {
  it.each<[string, ProviderState]>([
    ["takes the request and never answers", "silent"],
    ["is overloaded", "overloaded"],
    ["refuses our key", "refusing"],
  ])("%s is told so once, on each platform, and has the answer when it comes", async (_, state) => {
    await using platforms = await openPlatforms();
    await using provider = await startProvider(state);
    await using gateway = await gatewayOf(platforms, provider);
    await askOnAll([gateway.url]);
    await read(platforms, LINE);
    expect(heard(platforms)).toEqual(TOLD);
    provider.become("well");
    await read(platforms, ANSWER);
    await scrapeWhenIdle(gateway.url, 60_000);
    expect(heard(platforms)).toEqual(ANSWERED);
    expect(timesSaid(platforms)).toEqual(ONCE);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });
});

describe("two replicas that see the same outage", () => {
  it.each<[string, boolean]>([
    ["has said it", false],
    ["is saying it, and nobody knows whether it was heard", true],
  ])("tell who waits once, also when the one is killed that %s", async (_, isCutOff) => {
    await using platforms = await openPlatforms();
    await using redis = await startRedis();
    await using provider = await startProvider("silent");
    if (isCutOff)
      for (const name of CHAT_PLATFORMS)
        platforms[name].faults.push({ kind: "hang-after", match: saysTheLine });
    const env = (name: string) => ({ REDIS_URL: redis.url, ANTHROPIC_API_KEY: `key-of-${name}` });
    await using one = await gatewayOf(platforms, provider, env("one"));
    await askOnAll([one.url]);
    await read(platforms, LINE);
    if (!isCutOff) await one.logged(/(?:reply\.waiting_told.*){4}/s);

    await using other = await gatewayOf(platforms, provider, env("other"));
    await one.end("SIGKILL");
    const callsOfOther = (count: number) =>
      provider.called(() => provider.callers.filter((key) => key === "key-of-other").length >= count);
    // It goes on with them when their leases have run out, and comes upon the same outage.
    await callsOfOther(4);
    // Its calls end now, which is when it would say the line, and it makes others.
    provider.become("overloaded");
    await callsOfOther(8);
    expect(heard(platforms)).toEqual(TOLD);
    provider.become("well");
    await read(platforms, ANSWER);
    await scrapeWhenIdle(other.url, 60_000);
    expect(heard(platforms)).toEqual(ANSWERED);
    expect(timesSaid(platforms)).toEqual(ONCE);
    expect(await other.end("SIGTERM")).toBe(0);
  });

  it("tell who waits once while both of them try again", async () => {
    await using platforms = await openPlatforms();
    await using redis = await startRedis();
    await using provider = await startProvider("overloaded");
    const env = (name: string) => ({ REDIS_URL: redis.url, ANTHROPIC_API_KEY: `key-of-${name}` });
    await using one = await gatewayOf(platforms, provider, env("one"));
    await using other = await gatewayOf(platforms, provider, env("other"));
    await askOnAll([one.url, other.url]);
    await read(platforms, LINE);
    await provider.called(() => new Set(provider.callers).size === 2 && provider.callers.length >= 8);
    provider.become("well");
    await read(platforms, ANSWER);
    await scrapeWhenIdle(one.url, 60_000);
    expect(heard(platforms)).toEqual(ANSWERED);
    expect(timesSaid(platforms)).toEqual(ONCE);
    for (const gateway of [one, other]) expect(await gateway.end("SIGTERM")).toBe(0);
  });
});
