import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GAVE_UP, STOPPED } from "../../src/reply/texts.ts";
import { type FakeTelegram, tooManyRequests } from "../fakes/telegram.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import {
  deliver,
  type MessageOptions,
  openPlatforms,
  type Platforms,
  seenOn,
  statusFault,
  webhook,
  withoutSpace,
} from "./platforms.ts";
import { scrape } from "./scrape.ts";

const WORDS = 40;
/** Two seconds of an answer. */
const STREAM = `demo: stream ${WORDS} 20`;
const WHOLE = streamed(WORDS);

let platforms: Platforms;
let telegram: FakeTelegram;
beforeEach(async () => {
  platforms = await openPlatforms();
  ({ telegram } = platforms);
  return () => platforms[Symbol.asyncDispose]();
});

function streamed(words: number): string {
  return Array.from({ length: words }, (_, n) => `w${n + 1}`).join(" ");
}

const start = (options: Partial<Parameters<typeof startGateway>[0]> = {}) =>
  startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(),
    ...options,
    env: { ...platforms.env, ...options.env },
  });

async function ask(
  gateway: GatewayProcess,
  text: string,
  options: Partial<MessageOptions> = {},
): Promise<void> {
  const request = webhook("telegram", { channel: "30", user: "30", ...options, text });
  expect((await deliver(gateway.url, request)).status).toBe(200);
}

/** Calls about messages, each by its method and the text that it carries. */
const calls = () =>
  telegram.calls.flatMap(({ path, body, fault }) => {
    const method = path.split("/").at(-1) ?? "";
    if (method !== "sendMessage" && method !== "editMessageText") return [];
    return [{ method, text: (JSON.parse(body) as { text: string }).text, fault }];
  });
const texts = () => telegram.messages.map(({ text }) => text);

/** Once people can read it. */
const read = (text: string) => seenOn(telegram, () => texts().find((one) => one.includes(text)));
/** Once an answer is out that is not whole, and the gateway has recorded it. */
async function shownBy(gateway: GatewayProcess): Promise<void> {
  await gateway.logged('"reply.shown"');
  expect(texts()).toEqual([expect.stringMatching(/^w1 .*w\d+ …$/)]);
}

describe("an answer that takes a while", () => {
  it("is shown while it grows, in one message, and a quick one is not", async () => {
    await using gateway = await start();
    await ask(gateway, "demo: stream 80 20");
    await read(streamed(80));
    await ask(gateway, "quick");
    await read("You said: quick");
    const [first, ...more] = calls();
    const quick = more.pop();
    expect(first).toMatchObject({ method: "sendMessage", text: expect.stringMatching(/ …$/) });
    expect(more.length).toBeGreaterThan(1);
    expect(new Set(more.map(({ method }) => method))).toEqual(new Set(["editMessageText"]));
    expect(quick).toMatchObject({ method: "sendMessage", text: "You said: quick" });
    expect(texts()).toEqual([streamed(80), "You said: quick"]);
    // Each has more of the answer than the one before.
    const said = [first, ...more].map((call) => call?.text.replace(/ …$/, "") ?? "");
    expect(said.at(-1)).toBe(streamed(80));
    for (const [index, text] of said.entries()) {
      expect(streamed(80).startsWith(text)).toBe(true);
      expect(text.length).toBeGreaterThan(said[index - 1]?.length ?? 0);
    }
    const metrics = await scrape(gateway.url);
    expect(metrics.value('parley_previews_total{platform="telegram",outcome="shown"}')).toBe(1);
  });

  it("is not shown where what is in doubt is left, which could be half an answer", async () => {
    const config = configFolder(`${NO_LIMITS}  replies: { in_doubt: leave }\n`);
    await using gateway = await start({ config });
    await ask(gateway, STREAM);
    await read(WHOLE);
    expect(calls()).toMatchObject([{ method: "sendMessage", text: WHOLE }]);
  });

  it("is not shown in a group, unless the configuration says so", async () => {
    await using gateway = await start();
    await ask(gateway, STREAM, { kind: "mention", channel: "-2011" });
    await read(WHOLE);
    expect(calls()).toMatchObject([{ method: "sendMessage", text: WHOLE }]);
    const config = configFolder(`${NO_LIMITS}  platforms: { telegram: { preview: on } }\n`);
    await using other = await start({ config });
    await ask(other, STREAM, { kind: "mention", channel: "-2012" });
    await seenOn(telegram, () => telegram.messages.find((one) => one.chatId === -2012 && one.text === WHOLE));
    const [, first, ...more] = calls().map(({ method }) => method);
    expect(first).toBe("sendMessage");
    expect(new Set(more)).toEqual(new Set(["editMessageText"]));
  });

  it("ends in its first message where it is long, and goes on in further ones", async () => {
    await using gateway = await start();
    await ask(gateway, "demo: stream 2500 1000");
    const last = await seenOn(telegram, () => texts().find((text) => text.endsWith("w2500")));
    expect(last).toBeDefined();
    expect(calls().some(({ text }) => text.endsWith(" …"))).toBe(true);
    expect(withoutSpace(texts().join(""))).toBe(withoutSpace(streamed(2_500)));
    expect(Math.max(...calls().map(({ text }) => text.length))).toBeLessThanOrEqual(4_096);
  });

  it("becomes what is said when the run is stopped, and when it fails", async () => {
    await using gateway = await start();
    await ask(gateway, "demo: stream 1000 20");
    await shownBy(gateway);
    await ask(gateway, "/stop");
    await read(STOPPED);
    await seenOn(telegram, () => (texts().includes("Stopping.") ? true : undefined));
    expect(texts().toSorted()).toEqual([STOPPED, "Stopping."]);
    await ask(gateway, `${STREAM}\ndemo: dead`);
    await read("I cannot answer this: the model rejected the request.");
    expect(texts()).toHaveLength(3);
    expect(calls().filter(({ text }) => text.endsWith(" …")).length).toBeGreaterThan(1);
  });

  it("goes on in the same message when it is tried again, and ends as given up where that is all", async () => {
    const agent = `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000 }
  retry: { max_attempts: 1, backoff_seconds: 0 }
`;
    await using gateway = await start({ config: configFolder(NO_LIMITS, agent) });
    await ask(gateway, `${STREAM}\ndemo: fail once`);
    await read(WHOLE);
    expect(calls().filter(({ method }) => method === "sendMessage")).toHaveLength(1);
    const config = configFolder(`${NO_LIMITS}  replies: { attempts: 1 }\n`, agent);
    await using strict = await start({ config });
    await ask(strict, `${STREAM}\ndemo: fail`);
    await read(GAVE_UP);
    expect(texts()).toEqual([WHOLE, GAVE_UP]);
  });

  it("is said anew when somebody has deleted what was shown, and the log says so", async () => {
    await using gateway = await start();
    await ask(gateway, "demo: stream 80 20");
    await shownBy(gateway);
    telegram.messages.splice(0);
    await read(streamed(80));
    expect(texts()).toEqual([streamed(80)]);
    await gateway.logged('"reply.preview_gone"');
  });

  it("waits no longer than Telegram asks when a change of it is too many", async () => {
    await using gateway = await start();
    telegram.faults.push({
      ...statusFault(tooManyRequests(3)),
      match: ({ path }) => path.endsWith("/editMessageText"),
    });
    await ask(gateway, STREAM);
    await seenOn(telegram, () => telegram.calls.find(({ fault }) => fault === "status"));
    await read(WHOLE);
    expect(texts()).toEqual([WHOLE]);
    // One that was refused, and the next when that time was over: the whole answer.
    const edits = telegram.calls.filter(({ path }) => path.endsWith("/editMessageText"));
    const refused = edits.findIndex(({ fault }) => fault === "status");
    const [at = 0, next = 0] = edits.slice(refused).map((call) => call.at);
    expect(next - at).toBeGreaterThanOrEqual(2_900);
    expect(next - at).toBeLessThan(6_000);
    expect(edits.slice(refused + 1)).toHaveLength(1);
  });
});

describe("a gateway that is killed while an answer is shown", () => {
  it("goes on in the same message when it is started again", async () => {
    const dataDir = temporaryFolder();
    const killed = await start({ dataDir });
    await ask(killed, "demo: stream 60 20");
    await shownBy(killed);
    await killed.end("SIGKILL");
    await using gateway = await start({ dataDir });
    await read(streamed(60));
    await ask(gateway, "and now?");
    await read("You said: and now?");
    expect(texts()).toEqual([streamed(60), "You said: and now?"]);
    expect(calls().filter(({ method }) => method === "sendMessage")).toHaveLength(2);
  });

  it("marks the answer when nobody recorded that it was shown, and what was shown is no answer", async () => {
    const dataDir = temporaryFolder();
    const answered = Promise.withResolvers<void>();
    telegram.faults.push({
      kind: "slow",
      until: answered.promise,
      match: ({ path }) => path.endsWith("/sendMessage"),
    });
    const killed = await start({ dataDir });
    await ask(killed, STREAM);
    await seenOn(telegram, () => (texts().length > 0 ? true : undefined));
    await killed.end("SIGKILL");
    answered.resolve();
    await using _ = await start({ dataDir });
    await read(WHOLE);
    expect(texts()).toEqual([
      expect.stringMatching(/^w1 .* …$/),
      `This may be a repeat: the first delivery was not confirmed.\n\n${WHOLE}`,
    ]);
  });
});

describe("two replicas, of which one is killed while it shows an answer", () => {
  const LEASE_MS = 2_000;
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("say it in the same message: the other goes on there", async () => {
    const replica = () =>
      start({
        env: { REDIS_URL: redis.url },
        command: [process.execPath, `${ROOT}/test/e2e/short-lease.ts`, String(LEASE_MS)],
      });
    const all = [await replica(), await replica()];
    await using open = new AsyncDisposableStack();
    for (const one of all) open.use(one);
    const [first] = all;
    if (first === undefined) throw new Error("Expected two replicas");
    await ask(first, "demo: stream 60 20");
    const killed = await Promise.race(
      all.map(async (one) => {
        await shownBy(one);
        return one;
      }),
    );
    await killed.end("SIGKILL");
    await read(streamed(60));
    const left = all.find((one) => one !== killed);
    await left?.logged('"reply.sent"');
    expect(texts()).toEqual([streamed(60)]);
    expect(calls().filter(({ method }) => method === "sendMessage")).toHaveLength(1);
  });
});
