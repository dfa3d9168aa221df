import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NOT_DECIDED } from "../../src/reply/approval-texts.ts";
import type { FakeTelegram } from "../fakes/telegram.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, type MessageOptions, openPlatforms, type Platforms, seenOn, webhook } from "./platforms.ts";
import { scrape } from "./scrape.ts";

let platforms: Platforms;
let telegram: FakeTelegram;
beforeEach(async () => {
  platforms = await openPlatforms();
  ({ telegram } = platforms);
  return () => platforms[Symbol.asyncDispose]();
});

const agent = (expiresSeconds: number) => `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000 }
  approvals: { expires_seconds: ${expiresSeconds} }
`;
const patient = () => configFolder(NO_LIMITS, agent(300));

type Start = Partial<Parameters<typeof startGateway>[0]>;
const start = (options: Start = {}) =>
  startGateway({
    dataDir: temporaryFolder(),
    config: patient(),
    ...options,
    env: { ...platforms.env, ...options.env },
  });

const GROUP = "-2011";
const texts = () => telegram.messages.map(({ text }) => text);
const read = (text: string) => seenOn(telegram, () => texts().find((one) => one.includes(text)));

async function say(gateway: GatewayProcess, text: string, user = "30"): Promise<void> {
  const message: MessageOptions = { kind: "mention", channel: GROUP, user, text };
  expect((await deliver(gateway.url, webhook("telegram", message))).status).toBe(200);
}

/** Once it is asked and waits for a person; gives the id of the question. */
async function asked(gateway: GatewayProcess, question = "Deploy to production?"): Promise<string> {
  await say(gateway, `demo: ask ${question}`);
  const text = await read(question);
  return /apr_\w+/.exec(text)?.[0] ?? "no id in the question";
}

async function parkedBy(gateways: readonly GatewayProcess[]): Promise<GatewayProcess> {
  return await Promise.race(
    gateways.map(async (gateway) => {
      await gateway.logged('"run.parked"');
      return gateway;
    }),
  );
}

/** What people have read, without the question. */
const said = () => texts().filter((text) => !text.includes("May I?"));
const questions = () => texts().filter((text) => text.includes("May I?"));

describe("a run that waits for an approval, on one process with its file", () => {
  it("goes on after the process was killed, and says everything once", async () => {
    const place = { dataDir: temporaryFolder() };
    await using first = await start(place);
    const id = await asked(first);
    await parkedBy([first]);
    expect((await scrape(first.url)).value('parley_queue_events{state="parked"}')).toBe(1);
    expect((await scrape(first.url)).value("parley_queue_oldest_age_seconds")).toBe(0);
    await first.end("SIGKILL");
    await using second = await start(place);
    expect((await scrape(second.url)).value('parley_queue_events{state="parked"}')).toBe(1);
    await say(second, `!deny ${id} it is Friday`, "31");
    await read("denied by");
    expect(said().toSorted()).toEqual([
      "Denied.",
      expect.stringMatching(/^Tool ask said: denied by .+: it is Friday$/),
    ]);
    expect(questions()).toHaveLength(1);
    // The conversation goes on.
    await say(second, "hello");
    await read("You said: hello");
    await say(second, `!approve ${id}`);
    await read("does not wait for a decision here");
  });

  it("is over when its time is, though nobody ran meanwhile, and the person is told", async () => {
    const place = { dataDir: temporaryFolder(), config: configFolder(NO_LIMITS, agent(3)) };
    await using first = await start(place);
    const id = await asked(first);
    await parkedBy([first]);
    await first.end("SIGKILL");
    await using second = await start(place);
    await read("no decision in time");
    expect(said()).toEqual([NOT_DECIDED, "Tool ask said: no decision in time"]);
    expect(questions()).toHaveLength(1);
    await say(second, `!approve ${id}`);
    await read("does not wait for a decision here");
  });

  it("is asked to stop, and does", async () => {
    await using gateway = await start();
    await asked(gateway);
    await parkedBy([gateway]);
    await say(gateway, "!stop");
    // The question says it, too, from then on.
    await seenOn(telegram, () => texts().find((text) => text === "Stopped."));
    expect(said().toSorted()).toEqual(["Stopped.", "Stopping."]);
    expect(questions()).toEqual([expect.stringMatching(/\nStopped\.$/)]);
    await gateway.logged('"run.finished"');
    const ends = gateway.logLines().filter(({ msg }) => msg === "run.finished");
    expect(ends).toMatchObject([{ outcome: "stopped", model_calls: 1, agent: "assistant" }]);
  });

  it("stays parked over a drain, and what is said meanwhile waits behind it", async () => {
    const place = { dataDir: temporaryFolder() };
    await using first = await start(place);
    const id = await asked(first);
    await parkedBy([first]);
    await say(first, "and then?");
    expect(await first.end("SIGTERM")).toBe(0);
    await using second = await start(place);
    await say(second, `!approve ${id}`);
    await read("You said: and then?");
    const [answer, next] = said().filter((text) => text !== "Approved.");
    expect(answer).toMatch(/^Tool ask said: approved by /);
    expect(next).toBe("You said: and then?");
  });
});

describe("a run that waits for an approval, on replicas", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const replica = () => start({ env: { REDIS_URL: redis.url } });

  it("goes on where somebody approves, when the one that asked was killed", async () => {
    await using one = await replica();
    await using other = await replica();
    const id = await asked(one);
    const gone = await parkedBy([one, other]);
    const left = gone === one ? other : one;
    await gone.end("SIGKILL");
    await using third = await replica();
    await say(left, `!approve ${id}`, "31");
    await read("approved by");
    await say(third, "hello");
    await read("You said: hello");
    expect(said().slice(0, 2).toSorted()).toEqual([
      "Approved.",
      expect.stringMatching(/^Tool ask said: approved by /),
    ]);
    expect(said()).toHaveLength(3);
    expect(questions()).toHaveLength(1);
  });

  it("is listed and decided by the API of a replica, whichever has asked, and the conversation hears by whom", async () => {
    const token = "an-admin-token-of-at-least-32-characters";
    const withApi = () => start({ env: { REDIS_URL: redis.url, PARLEY_ADMIN_TOKEN: token } });
    await using one = await withApi();
    await using other = await withApi();
    const id = await asked(one, "By the API?");
    const gone = await parkedBy([one, other]);
    const left = gone === one ? other : one;
    await gone.end("SIGKILL");
    const api = async (path: string, init: RequestInit = {}) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const named = { ...headers, "x-parley-operator": "olga" };
      return (await fetch(`${left.url}/api/v1${path}`, { ...init, headers: named })).json();
    };
    expect(await api("/approvals?state=waiting")).toMatchObject({
      approvals: [{ id, tool: "ask", arguments: { question: "By the API?" }, decisions: [] }],
      next: null,
    });
    const body = JSON.stringify({ verdict: "denied", reason: "not today" });
    expect(await api(`/approvals/${id}`, { method: "POST", body })).toMatchObject({ state: "denied" });
    expect(await read("Tool ask said:")).toBe("Tool ask said: denied by api:olga: not today");
    expect(questions()).toEqual([expect.stringMatching(/Denied by api:olga: not today$/)]);
    await left.logged(/"by":\["api:olga"\][^\n]*"approval\.decided"/);
    expect(await api("/approvals?state=decided&limit=1")).toMatchObject({
      approvals: [{ id, state: "denied", decisions: [{ by: { id: "api:olga" }, reason: "not today" }] }],
    });
    expect(await api("/approvals?state=waiting")).toEqual({ approvals: [], next: null });
  });

  it("is decided once when two people decide at once, on two of them", async () => {
    await using one = await replica();
    await using other = await replica();
    const id = await asked(one, "Both of you?");
    await parkedBy([one, other]);
    await Promise.all([say(one, `!approve ${id}`, "31"), say(other, `!deny ${id}`, "32")]);
    await read("Tool ask said:");
    await seenOn(telegram, () => (said().length === 3 ? true : undefined));
    const decision = said().find((text) => text === "Approved." || text === "Denied.");
    const verdict = decision === "Approved." ? "approved" : "denied";
    expect(said().filter((text) => text.startsWith("Tool ask said:"))).toEqual([
      expect.stringContaining(`Tool ask said: ${verdict} by`),
    ]);
    const told = said().filter((text) => text !== decision && !text.startsWith("Tool ask said:"));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      new RegExp(`^It is decided already: ${verdict} by |does not wait for a decision`),
    );
  });
});
